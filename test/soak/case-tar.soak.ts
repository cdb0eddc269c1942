import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, open, readFile, rm, stat, writeFile } from "node:fs/promises";
import path from "node:path";
import { text } from "node:stream/consumers";
import { afterAll, beforeAll, expect, it } from "@jest/globals";
import { finish, serve, start, type ServingProgram } from "../support/built-program.ts";
import { newMachine, type Machine } from "../support/cli.ts";
import { peakMemoryOf } from "../support/peak-memory.ts";

const smalls = 10_000;
/** More than a ustar header's eleven octal digits hold. */
const bigBytes = 9 * 1024 ** 3;
/** MiB in RAM: 257 were measured, on a machine that was busy with other things. */
const mostMemory = 350;

let machine: Machine;
let server: ServingProgram;
const at = (...names: string[]): string => path.join(machine.folder, ...names);

beforeAll(async () => {
  machine = await newMachine();
  await mkdir(at("in"));
  await mkdir(at("out"));
  const invitation = at("invitation");
  server = await serve(machine.folder, ["--data", at("data"), "--invitation-file", invitation]);
  const code = await readFile(invitation, "utf8");
  await machine.exhibit(["login", server.url, "--invite-stdin"], { input: code });
}, 60_000);
afterAll(async () => {
  await server.stop();
  await rm(machine.folder, { recursive: true, force: true });
});

const upload = (file: string) =>
  finish(start(machine.folder, ["upload", file, "--case", "TAR/1", "--initials", "ABC", "--json"]));

it(
  "a case of 10,000 exhibits and a file of 9 GiB unpacks with GNU tar and checks with coreutils, and the client stays small",
  async () => {
    for (let index = 0; index < smalls; index += 1)
      await writeFile(at("in", `${index}.txt`), `${index}`);
    const big = await open(at("big.mp4"), "w");
    await big.truncate(bigBytes);
    await big.write("the end", bigBytes - 7);
    await big.close();
    for (const what of ["in", "big.mp4"]) expect((await upload(at(what))).code).toBe(0);

    const began = performance.now();
    const client = start(machine.folder, ["download", "--case", "TAR/1", "--tar", "-", "--json"]);
    const closed = once(client, "close") as Promise<[number]>;
    const tar = spawn("tar", ["-x", "-C", at("out")], { stdio: ["pipe", "ignore", "pipe"] });
    client.stdout.pipe(tar.stdin);
    const [err, tarErr, peakMiB, [code], [tarCode]] = await Promise.all([
      text(client.stderr),
      text(tar.stderr),
      peakMemoryOf(client, closed),
      closed,
      once(tar, "close") as Promise<[number]>,
    ]);
    const seconds = Math.round((performance.now() - began) / 1000);
    process.stdout.write(
      `${JSON.stringify({ exhibits: smalls + 1, bigBytes, seconds, peakMiB })}\n`,
    );
    expect([code, tarCode, tarErr]).toEqual([0, 0, ""]);
    expect(err).not.toContain('"error"');
    expect(peakMiB).toBeLessThan(mostMemory);

    execFileSync("sha256sum", ["-c", "--strict", "--quiet", "SHA256SUMS"], { cwd: at("out") });
    const sums = await readFile(at("out", "SHA256SUMS"), "utf8");
    // A file and three documents an exhibit, and FILES.txt.
    expect(sums.split("\n")).toHaveLength((smalls + 1) * 4 + 1 + 1);
    const name = /\S+-0001\.mp4$/m.exec(sums)?.[0] ?? "";
    expect((await stat(at("out", name))).size).toBe(bigBytes);
  },
  40 * 60_000,
);
