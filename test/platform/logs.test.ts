import { execFileSync } from "node:child_process";
import { mkdtemp, readFile, readdir, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { openLog } from "../../src/platform/logs.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "exhibit-logs-"));
});
afterEach(() => rm(folder, { recursive: true }));

describe("a log file", () => {
  it("holds every line in order, is this user's alone, and no credentials", async () => {
    const file = path.join(folder, "server.jsonl");
    const log = openLog(file);
    log.logger.info({ req: { headers: { authorization: "Bearer s3cret" } } }, "first");
    for (let n = 0; n < 500; n += 1) log.logger.info({ n }, "line");
    await log.close();
    const lines = (await readFile(file, "utf8")).trimEnd().split("\n");
    expect(lines).toHaveLength(501);
    expect(lines[0]).not.toContain("s3cret");
    expect(JSON.parse(lines[500] ?? "")).toMatchObject({ n: 499, msg: "line" });
    expect((await stat(file)).mode & 0o777).toBe(0o600);
  });

  it("is put aside when it is large, and only the last one is kept", async () => {
    const file = path.join(folder, "server.jsonl");
    const log = openLog(file, 1000);
    for (const turn of ["one", "two", "three"]) {
      log.logger.info({ turn, filler: "x".repeat(1000) });
      await log.close();
    }
    expect(await readdir(folder)).toEqual(["server.jsonl.1"]);
    expect(await readFile(`${file}.1`, "utf8")).toContain('"turn":"three"');
  });
});

(process.getuid?.() === 0 ? it : it.skip)(
  "a log whose disk is full loses lines, stops nobody, and goes on once there is room",
  async () => {
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=64k", "tmpfs", folder]);
    try {
      const filler = path.join(folder, "filler");
      await writeFile(filler, Buffer.alloc(256 * 1024)).catch(() => undefined);
      const file = path.join(folder, "server.jsonl");
      const log = openLog(file);
      for (let n = 0; n < 5000; n += 1) log.logger.info({ n }, "lost");
      await log.close();
      await rm(filler);
      log.logger.info("kept");
      await log.close();
      expect(await readFile(file, "utf8")).toContain('"msg":"kept"');
    } finally {
      execFileSync("umount", [folder]);
    }
  },
);
