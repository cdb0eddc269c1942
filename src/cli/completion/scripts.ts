/** Shells whose Tab key can be taught the commands. */
export const shells = ["bash", "zsh", "fish", "powershell"] as const;
export type Shell = (typeof shells)[number];

/** How to switch completion on for good, in one line. */
export const switchedOnBy: Readonly<Record<Shell, string>> = {
  bash: "exhibit completion bash > ~/.local/share/bash-completion/completions/exhibit",
  zsh: "exhibit completion zsh > a file _exhibit in a folder of your $fpath, before compinit",
  fish: "exhibit completion fish > ~/.config/fish/completions/exhibit.fish",
  powershell: "exhibit completion powershell | Out-String | Invoke-Expression   (in your $PROFILE)",
};

/**
 * What each shell runs when Tab is pressed. All of them ask the program itself (`exhibit complete`), so that they know every
 * command of the version that is installed and the stores that are configured. Its answer is a line for each word, with
 * what it is behind a tab, and a last line that says whether files (`:files`) or folders (`:folders`) can stand there, too.
 */
export const scripts: Readonly<Record<Shell, string>> = {
  // Works with bash 3.2, which macOS has: no mapfile, and compopt may be missing.
  bash: `# exhibit for bash
_exhibit() {
  local line file begun=\${COMP_WORDS[COMP_CWORD]}
  COMPREPLY=()
  while IFS= read -r line; do
    case $line in
      :files | :folders)
        compopt -o filenames 2>/dev/null
        local kind=-f
        [ "$line" = :folders ] && kind=-d
        while IFS= read -r file; do COMPREPLY+=("$file"); done < <(compgen "$kind" -- "$begun")
        ;;
      :*) ;;
      *) COMPREPLY+=("\${line%%$'\\t'*}") ;;
    esac
  done < <("\${COMP_WORDS[0]}" complete -- "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
}
complete -F _exhibit exhibit
`,

  zsh: `#compdef exhibit
_exhibit() {
  local -a found
  local line disk word
  while IFS= read -r line; do
    case $line in
      :*) disk=$line ;;
      *) word=\${line%%$'\\t'*}; found+=("\${word//:/\\\\:}:\${line#*$'\\t'}") ;;
    esac
  done < <("\${words[1]}" complete -- "\${(@)words[2,CURRENT]}" 2>/dev/null)
  (( $#found )) && _describe exhibit found
  case $disk in
    :files) _files ;;
    :folders) _files -/ ;;
  esac
}
if [ "$funcstack[1]" = _exhibit ]; then _exhibit "$@"; else compdef _exhibit exhibit; fi
`,

  fish: `# exhibit for fish
function __exhibit_complete
  set -l words (commandline -opc)
  for line in ($words[1] complete -- $words[2..-1] (commandline -ct) 2>/dev/null)
    switch $line
      case ':files'
        __fish_complete_path (commandline -ct)
      case ':folders'
        __fish_complete_directories (commandline -ct)
      case ':*'
      case '*'
        echo $line
    end
  end
end
complete -c exhibit -f -a '(__exhibit_complete)'
`,

  // Where nothing is given, PowerShell looks for files by itself. Windows PowerShell passes no empty words on: --next stands for one.
  powershell: `# exhibit for PowerShell
Register-ArgumentCompleter -Native -CommandName exhibit -ScriptBlock {
  param($wordToComplete, $commandAst, $cursorPosition)
  $words = @($commandAst.CommandElements |
    Where-Object { $_.Extent.EndOffset -le $cursorPosition } |
    Select-Object -Skip 1 | ForEach-Object { $_.ToString() })
  $next = @(if ($wordToComplete -eq '') { '--next' })
  & exhibit complete @next -- @words 2>$null | Where-Object { -not $_.StartsWith(':') } | ForEach-Object {
    $word, $about = $_ -split "\`t", 2
    if (-not $about) { $about = $word }
    [System.Management.Automation.CompletionResult]::new($word, $word, 'ParameterValue', $about)
  }
}
`,
};
