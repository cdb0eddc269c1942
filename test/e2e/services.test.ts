import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, readFile, readlink, rm, stat, writeFile } from "node:fs/promises";
import path from "node:path";
import { promisify } from "node:util";
import { createInterface } from "node:readline";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { XMLParser } from "fast-xml-parser";
import { quotedForWindows } from "../../src/platform/services/scheduled-task.ts";
import { servicesOf } from "../../src/platform/services/services.ts";
import { finish, start } from "../support/built-program.ts";
import { newMachine, type Machine } from "../support/cli.ts";
import { startServer, type TestServer } from "../support/server.ts";

const run = promisify(execFile);

let machine: Machine;
let server: TestServer;
beforeAll(async () => {
  machine = await newMachine();
  server = await startServer();
  const code = await server.invite("partner");
  await machine.exhibit(["login", server.url, "--invite-stdin"], { input: code });
});
afterAll(async () => {
  await server.stop();
  await rm(machine.folder, { recursive: true, force: true });
});

/** What systemd says of a unit: nothing when it is right. */
async function verified(unit: string): Promise<string> {
  const runtime = path.join(machine.folder, "runtime");
  await mkdir(runtime, { recursive: true });
  const env = { ...process.env, XDG_RUNTIME_DIR: runtime, HOME: machine.folder };
  const { stdout, stderr } = await run("systemd-analyze", ["--user", "verify", unit], { env });
  return stdout + stderr;
}

/** The words of a line of a unit, as systemd takes them. */
function wordsOf(line: string): string[] {
  const found = line.matchAll(/"((?:[^"\\]|\\.)*)"/g);
  return [...found].map(([, word = ""]) =>
    word.replace(/\\(.)/g, "$1").replaceAll("%%", "%").replaceAll("$$", "$"),
  );
}

function linesOf(unit: string, name: string): string[] {
  return unit
    .split("\n")
    .filter((line) => line.startsWith(`${name}=`))
    .map((line) => line.slice(name.length + 1));
}

describe("exhibit resume --at-startup", () => {
  const unit = (): string =>
    path.join(machine.folder, ".config", "systemd", "user", "exhibit-resume.service");

  it("has systemd finish an upload that was killed", async () => {
    const file = path.join(machine.folder, "bus 42.mp4");
    await writeFile(file, Buffer.alloc(3_000_000, "video"));
    const argv = ["upload", file, "--case", "BOOT/1", "--bwlimit", "600K", "--part-size", "256K"];
    const killed = start(machine.folder, [...argv, "--progress", "json", "--concurrency", "1"]);
    for await (const line of createInterface({ input: killed.stderr })) {
      if (line.includes('"part-done"')) break;
    }
    killed.kill("SIGKILL");
    await once(killed, "exit");
    const installed = await machine.exhibit(["resume", "--at-startup", "--json"]);
    expect([installed.code, installed.json()]).toMatchObject([
      0,
      { schema: "exhibit.service/1", outcome: "installed", file: unit() },
    ]);
    expect(await verified(unit())).toBe("");
    const text = await readFile(unit(), "utf8");
    const link = path.join(path.dirname(unit()), "default.target.wants", "exhibit-resume.service");
    expect(await readlink(link)).toBe("../exhibit-resume.service");
    const [command = "", ...words] = wordsOf(linesOf(text, "ExecStart")[0] ?? "");
    const pairs = linesOf(text, "Environment").map((line) => wordsOf(line)[0]?.split("=") ?? []);
    const child = spawn(command, words, {
      env: { PATH: process.env["PATH"], ...(Object.fromEntries(pairs) as Record<string, string>) },
    });
    const done = await finish(child);
    expect([done.code, done.out]).toEqual([0, expect.stringContaining("bus 42.mp4")]);
    expect((await machine.exhibit(["resume"])).err).toContain("nothing to resume");
  });

  it("changes nothing the second time, and takes all of it away", async () => {
    const again = await machine.exhibit(["resume", "--at-startup"]);
    expect([again.code, again.err]).toEqual([0, expect.stringContaining("there already")]);
    expect(again.err).toContain("systemctl --user status exhibit-resume");
    const removed = await machine.exhibit(["resume", "--at-startup", "--remove"]);
    expect([removed.code, removed.out]).toEqual([0, `${unit()}\n`]);
    await expect(stat(unit())).rejects.toThrow("ENOENT");
    const none = await machine.exhibit(["resume", "--at-startup", "--remove", "--json"]);
    expect([none.code, none.json()]).toMatchObject([0, { outcome: "none" }]);
    expect((await machine.exhibit(["resume", "--remove"])).code).toBe(2);
  });

  it.each([
    ["http://proxy.garage.test:8080", true],
    ["http://garage:hunter2@proxy.garage.test:8080", false],
  ])("goes through the proxy %s, or says why it will not", async (proxy, isWritten) => {
    const env = { HTTPS_PROXY: proxy, HOME: machine.folder, XDG_CONFIG_HOME: "" };
    const done = await finish(start(machine.folder, ["resume", "--at-startup"], env));
    const text = await readFile(unit(), "utf8");
    expect(text.includes(`Environment="HTTPS_PROXY=${proxy}"`)).toBe(isWritten);
    expect(done.err.includes("systemctl --user edit exhibit-resume")).toBe(!isWritten);
    expect(`${done.err}${text}`).not.toContain("hunter2");
    await finish(start(machine.folder, ["resume", "--at-startup", "--remove"], env));
  });
});

describe("exhibit watch --print-service", () => {
  const hard = 'calls 100% $HOME "new"\\';
  const argv = (): string[] => [
    ...["watch", path.join(machine.folder, hard), "--case-from", "{case}/*.wav"],
    ...["--after", `move=${path.join(machine.folder, "do ne")}`, "--title", "O'Neil & <Sons>"],
    "--print-service",
  ];
  const typed = (): string[] => [
    ...["watch", path.join(machine.folder, hard), "--sidecar=none", "--case-from={case}/*.wav"],
    ...["--settle=10", "--poll=30", `--after=move=${path.join(machine.folder, "do ne")}`],
    "--title=O'Neil & <Sons>",
  ];

  it("prints a unit that systemd takes, with this very command", async () => {
    const printed = await machine.exhibit([...argv(), "--for", "linux"]);
    expect([printed.code, printed.err]).toEqual([0, expect.stringContaining("systemctl --user")]);
    const file = path.join(machine.folder, "exhibit-watch-test.service");
    await writeFile(file, printed.out);
    expect(await verified(file)).toBe("");
    const [node, program, ...words] = wordsOf(linesOf(printed.out, "ExecStart")[0] ?? "");
    expect([node, program]).toEqual([process.execPath, expect.stringMatching(/bin.exhibit\.js$/)]);
    expect(words.sort()).toEqual(typed().sort());
  });

  it("prints a task that Windows takes", async () => {
    const printed = await machine.exhibit([...argv(), "--for", "windows"]);
    expect(printed.err).toContain("schtasks /Create");
    requireTask(printed.out, undefined);
    expect(printed.err).toContain("takes an administrator to make");
    const parsed = new XMLParser({ htmlEntities: true }).parse(printed.out) as {
      Task: { Actions: { Exec: { Command: string; Arguments: string } } };
    };
    const { Command, Arguments } = parsed.Task.Actions.Exec;
    expect(Command).toBe(process.execPath);
    expect(Arguments).toContain(quotedForWindows(path.join(machine.folder, hard)));
    expect(Arguments).toContain(`"--title=O'Neil & <Sons>"`);
  });

  it.each([
    ["plain", "plain"],
    ["", '""'],
    ["C:\\Program Files\\", '"C:\\Program Files\\\\"'],
    ["C:\\plain\\", "C:\\plain\\"],
    ['say "hi"', '"say \\"hi\\""'],
    ['a\\"b', '"a\\\\\\"b"'],
  ])("quotes %s for Windows", (word, quoted) => {
    expect(quotedForWindows(word)).toBe(quoted);
  });

  it("is made and taken away by schtasks on Windows", async () => {
    const bin = path.join(machine.folder, "bin");
    await mkdir(bin);
    const said = path.join(machine.folder, "schtasks.txt");
    await writeFile(path.join(bin, "schtasks"), `#!/bin/sh\necho "$@" >> '${said}'\n`, {
      mode: 0o755,
    });
    const facts = {
      platform: "win32",
      home: machine.folder,
      env: {
        ...machine.env,
        PATH: `${bin}:/usr/bin:/bin`,
        USERDOMAIN: "GARAGE",
        USERNAME: "Zoë & Jo",
      },
    } as const;
    const services = servicesOf(facts, ["C:\\node.exe", "C:\\exhibit.js"]);
    const service = {
      name: "exhibit-resume",
      description: "d",
      argv: ["resume"],
      kind: "ends",
    } as const;
    const installed = await services.install(service);
    expect(installed.isNew).toBe(true);
    const bytes = await readFile(installed.file);
    expect(bytes.subarray(0, 2).toString("hex")).toBe("fffe");
    requireTask(bytes.toString("utf16le").slice(1), "GARAGE\\Zoë & Jo");
    expect((await services.install(service)).isNew).toBe(false);
    expect(await services.remove("exhibit-resume")).toBe(installed.file);
    expect(await services.remove("exhibit-resume")).toBeUndefined();
    expect((await readFile(said, "utf8")).trim().split("\n")).toEqual([
      `/Create /TN exhibit-resume /XML ${installed.file} /F`,
      `/Create /TN exhibit-resume /XML ${installed.file} /F`,
      "/Delete /TN exhibit-resume /F",
    ]);
  });
});

/**
 * What the Task Scheduler's schema (MS-TSCH section 2.5) wants of a task. Most of it may come in any order, but once; what is in a trigger
 * must come in this one.
 */
const taskSchema: Readonly<Record<string, readonly string[]>> = {
  Task: ["RegistrationInfo", "Triggers", "Settings", "Data", "Principals", "Actions"],
  RegistrationInfo: ["URI", "Source", "Date", "Author", "Version", "Description", "Documentation"],
  Triggers: ["LogonTrigger"],
  LogonTrigger: [
    ...["Enabled", "StartBoundary", "EndBoundary", "Repetition", "ExecutionTimeLimit"],
    ...["UserId", "Delay"],
  ],
  Principals: ["Principal"],
  Principal: ["UserId", "LogonType", "GroupId", "DisplayName", "RunLevel"],
  Settings: [
    ...["AllowStartOnDemand", "RestartOnFailure", "MultipleInstancesPolicy", "Enabled", "Hidden"],
    ...["DisallowStartIfOnBatteries", "StopIfGoingOnBatteries", "AllowHardTerminate", "Priority"],
    ...["StartWhenAvailable", "NetworkProfileName", "RunOnlyIfNetworkAvailable", "WakeToRun"],
    ...["DeleteExpiredTaskAfter", "IdleSettings", "NetworkSettings", "ExecutionTimeLimit"],
    ...["RunOnlyIfIdle"],
  ],
  RestartOnFailure: ["Interval", "Count"],
  Actions: ["Exec"],
  Exec: ["Command", "Arguments", "WorkingDirectory"],
};

type XmlNode = Record<string, XmlNode[]> & { ":@"?: Record<string, string>; "#text"?: unknown };

function requireTask(xml: string, user: string | undefined): void {
  // Any encoding that it is saved in is the right one.
  expect(xml).toMatch(/^<\?xml version="1.0"\?>\r?\n[\r\n -~]+$/);
  const open: string[] = [];
  for (const [, end, name = ""] of xml.matchAll(/<(\/?)([A-Za-z]+)[^<>]*>/g)) {
    if (end === "") open.push(name);
    else expect(open.pop()).toBe(name);
  }
  expect(open).toEqual([]);
  const nodes = new XMLParser({
    preserveOrder: true,
    ignoreAttributes: false,
    htmlEntities: true,
    parseTagValue: false,
  }).parse(xml) as XmlNode[];
  const task = nodes.find((node) => "Task" in node);
  expect(task?.[":@"]).toEqual({
    "@_version": "1.2",
    "@_xmlns": "http://schemas.microsoft.com/windows/2004/02/mit/task",
  });
  const texts = textsIn("Task", task?.["Task"] ?? []);
  const userId = user === undefined ? {} : { UserId: user };
  expect(texts["LogonTrigger"]).toEqual({ Enabled: "true", ...userId });
  expect(Object.keys(texts["LogonTrigger"] ?? {})).toEqual(["Enabled", ...Object.keys(userId)]);
  expect(texts["Principal"]).toEqual({
    ...userId,
    LogonType: "InteractiveToken",
    RunLevel: "LeastPrivilege",
  });
  expect(texts["RestartOnFailure"]).toEqual({ Interval: "PT1M", Count: "255" });
  expect(texts["Exec"]?.["Command"]).toBeTruthy();
}

/** The texts by their names in each element, after a look at what may be in it. */
function textsIn(name: string, nodes: XmlNode[]): Record<string, Record<string, string>> {
  const found: Record<string, Record<string, string>> = { [name]: {} };
  const names = nodes.map((node) => Object.keys(node).find((key) => key !== ":@") ?? "");
  expect(new Set(names).size).toBe(names.length);
  for (const [index, inside] of names.entries()) {
    expect(taskSchema[name]).toContain(inside);
    const children = nodes[index]?.[inside] ?? [];
    if (taskSchema[inside] === undefined) {
      (found[name] ??= {})[inside] = children.map((child) => String(child["#text"])).join("");
    } else {
      Object.assign(found, textsIn(inside, children));
    }
  }
  return found;
}
