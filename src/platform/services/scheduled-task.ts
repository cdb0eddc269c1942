import type { Service } from "../../evidence/ports/services.ts";

/**
 * A task for Windows' Task Scheduler (MS-TSCH section 2.5, version 1.2), started when this user logs on, without more rights than the user
 * has, on battery, too, and for as long as it takes. A task takes no environment: variables must be the user's own. Without `user`
 * (`DOMAIN\NAME`) it is for whoever logs on, and Windows lets administrators alone make it.
 *
 * The text is ASCII and names no encoding, so that it is right in whichever one it is saved.
 */
export function scheduledTask(
  { description, argv, kind }: Service,
  command: readonly string[],
  user: string | undefined,
): string {
  const [program = "", ...before] = command;
  const line = [...before, ...argv].map(quotedForWindows).join(" ");
  const userId = user === undefined ? "" : `\n      <UserId>${escaped(user)}</UserId>`;
  return `<?xml version="1.0"?>
<Task version="1.2" xmlns="http://schemas.microsoft.com/windows/2004/02/mit/task">
  <RegistrationInfo>
    <Description>${escaped(description)}</Description>
  </RegistrationInfo>
  <Triggers>
    <LogonTrigger>
      <Enabled>true</Enabled>${userId}
    </LogonTrigger>
  </Triggers>
  <Principals>
    <Principal id="Author">${userId}
      <LogonType>InteractiveToken</LogonType>
      <RunLevel>LeastPrivilege</RunLevel>
    </Principal>
  </Principals>
  <Settings>
    <MultipleInstancesPolicy>IgnoreNew</MultipleInstancesPolicy>
    <DisallowStartIfOnBatteries>false</DisallowStartIfOnBatteries>
    <StopIfGoingOnBatteries>false</StopIfGoingOnBatteries>
    <StartWhenAvailable>true</StartWhenAvailable>
    <RunOnlyIfNetworkAvailable>${kind === "ends"}</RunOnlyIfNetworkAvailable>
    <ExecutionTimeLimit>PT0S</ExecutionTimeLimit>
    <RestartOnFailure>
      <Interval>PT1M</Interval>
      <Count>255</Count>
    </RestartOnFailure>
  </Settings>
  <Actions Context="Author">
    <Exec>
      <Command>${escaped(program)}</Command>
      <Arguments>${escaped(line)}</Arguments>
    </Exec>
  </Actions>
</Task>
`;
}

/** A word as `CommandLineToArgvW` takes it apart: backslashes count double before a quote, and at the end of what is in quotes. */
export function quotedForWindows(word: string): string {
  if (word !== "" && !/[\s"]/.test(word)) return word;
  return `"${word.replace(/(\\*)"/g, '$1$1\\"').replace(/(\\+)$/, "$1$1")}"`;
}

function escaped(text: string): string {
  return Array.from(text, (letter) =>
    /[&<>]|[^ -~]/.test(letter) ? `&#${letter.codePointAt(0) ?? 0};` : letter,
  ).join("");
}
