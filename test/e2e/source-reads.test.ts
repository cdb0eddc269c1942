import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdir, mkdtemp, readdir, readFile, realpath, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { expect, it } from "@jest/globals";
import { environmentIn, finish, serve, start } from "../support/built-program.ts";

const MiB = 1024 * 1024;
const program = path.resolve("bin/exhibit.js");

/** Every way in which a process can get at the bytes of a file. */
const calls = "read,readv,pread64,preadv,preadv2,mmap,sendfile,splice,copy_file_range";

it("an upload reads each byte of its sources once, whether a file goes in parts or with others", async () => {
  const folder = await realpath(await mkdtemp(path.join(tmpdir(), "exhibit-reads-")));
  const bus = path.join(folder, "bus");
  const sizes: Readonly<Record<string, number>> = {
    "long.bin": 20 * MiB + 5,
    "part.bin": 8 * MiB,
    "short.bin": 10 * 1024,
    "shorter.bin": 1,
  };
  await mkdir(bus);
  for (const [name, size] of Object.entries(sizes)) {
    await writeFile(path.join(bus, name), randomBytes(size));
  }
  const invitation = path.join(folder, "invitation.txt");
  const data = path.join(folder, "data");
  const server = await serve(folder, ["--data", data, "--invitation-file", invitation]);
  try {
    const login = start(folder, ["login", server.url, "--invite-stdin"]);
    login.stdin.write(await readFile(invitation));
    expect((await finish(login)).code).toBe(0);

    const trace = path.join(folder, "trace");
    await mkdir(trace);
    // prettier-ignore
    const { stdout } = await promisify(execFile)("strace", [
      // One file a thread, so that no line is broken by another's; of what is read, only how much.
      "-ff", "-qq", "-y", "-s", "0", "-e", `trace=${calls}`, "-o", path.join(trace, "thread"),
      process.execPath, program, "upload", bus, "--case", "READ/1", "--json",
    ], { env: environmentIn(folder) });
    const result = JSON.parse(stdout) as { exhibits: unknown[]; failed: unknown[] };
    expect([result.exhibits.length, result.failed]).toEqual([Object.keys(sizes).length, []]);

    const reads = await readsBelow(trace, bus);
    expect(reads.otherwise).toEqual([]);
    expect(reads.bytes).toEqual(sizes);
  } finally {
    expect(await server.stop()).toBe(0);
    await rm(folder, { recursive: true });
  }
}, 120_000);

/** What was read of each file of a folder, in bytes; and lines that show its bytes taken in a way that tells no number. */
async function readsBelow(
  trace: string,
  folder: string,
): Promise<{ bytes: Record<string, number>; otherwise: string[] }> {
  const bytes: Record<string, number> = {};
  const otherwise: string[] = [];
  for (const thread of await readdir(trace)) {
    for (const line of (await readFile(path.join(trace, thread), "utf8")).split("\n")) {
      const [, name] = line.split(`<${folder}/`);
      if (name === undefined) continue;
      const file = name.slice(0, name.indexOf(">"));
      const [, read] = /^p?read(?:64|v|v2)?\(.*\) = (\d+)$/.exec(line) ?? [];
      if (read === undefined) otherwise.push(line);
      else bytes[file] = (bytes[file] ?? 0) + Number(read);
    }
  }
  return { bytes, otherwise };
}
