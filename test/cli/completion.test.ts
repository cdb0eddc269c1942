import { spawn, spawnSync } from "node:child_process";
import { chmod, mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { candidatesFor } from "../../src/cli/completion/candidates.ts";
import type { Context } from "../../src/cli/context.ts";
import { buildProgram } from "../../src/cli/program.ts";
import { environmentIn, finish, start } from "../support/built-program.ts";

const program = fileURLToPath(new URL("../../bin/exhibit.js", import.meta.url));
let folder: string;
let env: NodeJS.ProcessEnv;

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "exhibit-completion-"));
  await mkdir(path.join(folder, "bin"));
  await mkdir(path.join(folder, "here", "night footage"), { recursive: true });
  await writeFile(path.join(folder, "here", "night bus.mp4"), "");
  await chmod(program, 0o755);
  await symlink(program, path.join(folder, "bin", "exhibit"));
  const own = environmentIn(folder);
  env = { ...own, PATH: `${path.join(folder, "bin")}:${own["PATH"] ?? ""}`, HOME: folder };
  await finish(start(folder, ["store", "add", "metropolitan", folder]));
});
afterAll(() => rm(folder, { recursive: true }));

/** The commands as they are declared; none of them is run. */
const declared = buildProgram({ terminal: { columns: () => 100 }, version: "" } as Context, {
  exitCode: 0,
});

describe("what is asked when Tab is pressed", () => {
  it.each([
    [["upl"], ["upload", "uploads"]],
    [
      ["uploads", ""],
      ["abort", "list", "resume"],
    ],
    [["share", "cr"], ["create"]],
    [["share", "create", "--acc"], ["--access"]],
    [
      ["share", "create", "--access", ""],
      ["original", "view"],
    ],
    [["share", "create", "--access", "o"], ["original"]],
    [["upload", "x.mp4", "--store", ""], ["metropolitan"]],
    [["--no-such", "store", "default", ""], ["metropolitan"]],
    [["store", "add", ""], []],
    [["upload", ""], [":files"]],
    [["upload", "one", "--report", ""], [":files"]],
    [["upload", "--", "--acc"], [":files"]],
    [["receipt", "verify", "one", "two", "thr"], [":files"]],
    [["download", "ABC/1", "--to", ""], [":folders"]],
    [["show", ""], []],
    [["help", "exit"], ["exit-codes"]],
    [["help", "share", "rev"], ["revoke"]],
    [["complete", ""], []],
    [["no such command", ""], []],
  ])("for %j is %j", async (words, wanted) => {
    const { words: found, onDisk } = await candidatesFor(declared, words, () =>
      Promise.resolve([{ word: "metropolitan", about: "" }]),
    );
    const disk = onDisk === undefined ? [] : [`:${onDisk}`];
    expect([...found.map(({ word }) => word), ...disk].sort()).toEqual(wanted);
  });

  it("tells a shell that leaves out empty words what can come next", async () => {
    const { out } = await finish(start(folder, ["complete", "--next", "--", "receipt"]));
    expect(out).toMatch(/^verify\t/);
  });
});

describe("a shell in which the Tab key is pressed", () => {
  /** What the line is after Tab: the shell is made to echo it, instead of running it. */
  async function afterTab(shell: readonly string[], typed: string): Promise<string> {
    const [name = "", script = ""] = shell;
    const child = spawn("script", ["-qefc", name, "/dev/null"], {
      env: { ...env, PS1: "> ", TERM: "dumb" },
      cwd: path.join(folder, "here"),
    });
    child.stdin.write(`${script}\n${typed}\t\u0001echo DONE \n`);
    let seen = "";
    for await (const piece of child.stdout) {
      seen += String(piece);
      const done = /^DONE (.*?)\s*$/m.exec(seen)?.[1];
      if (done === undefined) continue;
      child.kill();
      return done;
    }
    throw new Error(`It ended, having said: ${seen}`);
  }

  const bash = ["bash --norc --noprofile -i", "source <(exhibit completion bash)"];
  const zsh = [
    "zsh -f -i",
    "bindkey -e; autoload -U compinit; compinit -D -u; source <(exhibit completion zsh)",
  ];

  it.each([
    { shell: "bash", set: bash, typed: "exhibit share rev", wanted: "exhibit share revoke" },
    {
      shell: "bash",
      set: bash,
      typed: "exhibit upload --store metro",
      wanted: "exhibit upload --store metropolitan",
    },
    {
      shell: "bash",
      set: bash,
      typed: "exhibit upload night\\ b",
      wanted: "exhibit upload night bus.mp4",
    },
    {
      shell: "bash",
      set: bash,
      typed: "exhibit download A/1 --to nig",
      wanted: "exhibit download A/1 --to night footage/",
    },
    { shell: "zsh", set: zsh, typed: "exhibit share rev", wanted: "exhibit share revoke" },
    {
      shell: "zsh",
      set: zsh,
      typed: "exhibit upload --store metro",
      wanted: "exhibit upload --store metropolitan",
    },
    {
      shell: "zsh",
      set: zsh,
      typed: "exhibit upload night\\ b",
      wanted: "exhibit upload night bus.mp4",
    },
  ])("$shell: $typed", async ({ set, typed, wanted }) => {
    expect(await afterTab(set, typed)).toBe(wanted);
  });

  it.each([
    ["exhibit share rev", /^revoke\t/],
    ["exhibit upload --store metro", /^metropolitan\t/],
    ["exhibit upload night", /^'?night\\? bus\.mp4/m],
    ["exhibit download A/1 --to night", /^'?night\\? footage\/(?:\t.*)?\n$/],
  ])("fish, %s: %s", (typed, wanted) => {
    const { stdout } = spawnSync(
      "fish",
      ["--no-config", "-c", `exhibit completion fish | source; complete -C '${typed}'`],
      { env, cwd: path.join(folder, "here"), encoding: "utf8" },
    );
    expect(stdout).toMatch(wanted);
  });
});

it("prints a script for PowerShell, and says what other shells there are", async () => {
  const { out } = await finish(start(folder, ["completion", "powershell"]));
  expect(out).toMatch(/^# exhibit for PowerShell\nRegister-ArgumentCompleter -Native/);
  const refused = await finish(start(folder, ["completion", "csh"]));
  expect(refused.code).toBe(2);
  expect(refused.err).toContain("bash, zsh, fish, powershell");
});
