import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { expect, it } from "@jest/globals";
import { environmentIn, finish, serve, start } from "../support/built-program.ts";

const reading = "read,readv,pread64,preadv,preadv2,mmap,sendfile,splice,copy_file_range";

it("an upload asks the system for each byte of its source exactly once", async () => {
  const folder = await mkdtemp(path.join(tmpdir(), "exhibit-reading-"));
  const file = (name: string): string => path.join(folder, name);
  const source = file("bus 42.mp4");
  const sizeBytes = 5 * 1024 * 1024 + 123;
  await writeFile(source, randomBytes(sizeBytes));
  const invitation = file("invitation.txt");
  const server = await serve(folder, ["--data", file("data"), "--invitation-file", invitation]);
  try {
    const login = start(folder, ["login", server.url, "--invite-stdin"]);
    login.stdin.write(await readFile(invitation));
    expect((await finish(login)).code).toBe(0);
    const traced = ["-f", "-qq", "-P", source, "-e", `trace=${reading}`, "-o", file("trace")];
    const upload = ["upload", source, "--case", "READ/1", "--part-size", "1M", "--json"];
    await promisify(execFile)(
      "strace",
      [...traced, process.execPath, path.resolve("bin/exhibit.js"), ...upload],
      { env: environmentIn(folder) },
    );
    const calls = (await readFile(file("trace"), "utf8"))
      .split("\n")
      .filter((line) => line !== "" && !line.includes("<unfinished"));
    const counts = calls.map((line) => Number(/= (\d+)$/.exec(line)?.[1]));
    expect(counts.reduce((sum, bytes) => sum + bytes, 0)).toBe(sizeBytes);
  } finally {
    expect(await server.stop()).toBe(0);
  }
  await rm(folder, { recursive: true });
}, 60_000);
