import { execFile } from "node:child_process";
import { once } from "node:events";
import { mkdir, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { environmentIn, start } from "../support/built-program.ts";
import { newMachine, type Machine } from "../support/cli.ts";
import { startServer, type TestServer } from "../support/server.ts";

const program = fileURLToPath(new URL("../../bin/exhibit.js", import.meta.url));

let machine: Machine;
let server: TestServer;
const at = (...names: string[]): string => path.join(machine.folder, ...names);
beforeAll(async () => {
  machine = await newMachine();
  server = await startServer();
  const code = await server.invite("partner");
  await machine.exhibit(["login", server.url, "--invite-stdin"], { input: code });
  await mkdir(at("in"));
});
afterAll(async () => {
  await server.stop();
  await rm(machine.folder, { recursive: true, force: true });
});

/** As control-room staff would write it, with nothing but a shell and grep. */
const nightly = `#!/bin/bash
set -u
exhibit() { ${JSON.stringify(process.execPath)} ${JSON.stringify(program)} "$@"; }
exhibit upload --csv "$1" --time-zone Europe/London --json > night.ndjson 2> night.err < /dev/null
code=$?
sent=$(grep -c '"state":"uploaded"' night.ndjson)
there=$(grep -c '"state":"already-present"' night.ndjson)
case $code in
  0) echo "ok: $sent sent, $there already there" ;;
  2) echo "list: $(grep -c '"type":"wrong-row"' night.err) wrong rows" ;;
  3) echo "some failed: $(grep -o '"row":[0-9]*,"file":"[^"]*","case":"[^"]*","reference":"[^"]*","state":"failed"' night.ndjson | cut -d, -f1)" ;;
  *) echo "tell a person: $code" ;;
esac
exit $code
`;

describe("a script of a control room", () => {
  it("sends a night's list, nothing of it the next time, and says which rows are wrong or failed", async () => {
    await writeFile(at("nightly.sh"), nightly);
    const run = async (list: string): Promise<[number, string]> => {
      await writeFile(at("calls.csv"), list);
      return new Promise((resolve) => {
        execFile(
          "bash",
          ["nightly.sh", "calls.csv"],
          { cwd: machine.folder, env: environmentIn(machine.folder) },
          (error, stdout) => {
            resolve([typeof error?.code === "number" ? error.code : 0, stdout.trim()]);
          },
        );
      });
    };
    for (const name of ["a", "b", "c"]) await writeFile(at(`${name}.wav`), `call ${name}`);
    const list = "file,case,reference\na.wav,CAD/1,ABC/1\nb.wav,CAD/2,ABC/1\n";
    expect(await run(list)).toEqual([0, "ok: 2 sent, 0 already there"]);
    expect(await run(`${list}c.wav,CAD/3,ABC/1\n`)).toEqual([0, "ok: 1 sent, 2 already there"]);
    expect(await run("file,case\nx.wav,CAD/1\ny.wav,CAD/1\n")).toEqual([2, "list: 2 wrong rows"]);
    expect(await run("file,case,reference\nc.wav,CAD/1,ABC/1\nc.wav,CAD/3,ABC/1\n")).toEqual([
      3,
      'some failed: "row":2',
    ]);
  });
});

describe("a watch that is killed", () => {
  it("goes on where it was, while the server was restarted, and ends with SIGTERM", async () => {
    const argv = [
      ...["watch", at("in"), "--case", "CAD/9", "--settle", "0.2", "--poll", "0.5", "--json"],
    ];
    const taken = async (child: ReturnType<typeof start>, most: number): Promise<string[]> => {
      const files: string[] = [];
      for await (const line of createInterface({ input: child.stdout })) {
        const event = JSON.parse(line) as { type: string; file: string };
        if (event.type === "taken") files.push(event.file);
        if (files.length === most) break;
      }
      return files;
    };
    await writeFile(at("in", "1.wav"), "one");
    await writeFile(at("in", "2.wav"), "two");
    const first = start(machine.folder, argv);
    expect(await taken(first, 2)).toEqual(["1.wav", "2.wav"]);
    first.kill("SIGKILL");
    await once(first, "exit");
    await writeFile(at("in", "3.wav"), "three");
    await server.restart();
    const second = start(machine.folder, argv);
    expect(await taken(second, 1)).toEqual(["3.wav"]);
    second.kill("SIGTERM");
    expect(await once(second, "exit")).toEqual([143, null]);
    const listed = await machine.exhibit(["list", "--case", "CAD/9", "--json"]);
    expect(listed.json()["exhibits"]).toHaveLength(3);
  });
});
