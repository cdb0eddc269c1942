import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { chmod, mkdir, readdir, rm } from "node:fs/promises";
import path from "node:path";
import type { UploadRequest } from "../../src/app/upload.ts";
import { exitCodeOfMany } from "../../src/cli/exit.ts";
import type { SourceEntry } from "../../src/evidence/ports/source.ts";
import { fileSource } from "../../src/platform/file-source.ts";
import { makeClient, upload, uploadOf, type TestClient, type Uploaded } from "../support/client.ts";
import { soon } from "../support/server.ts";

const folders = fileSource();
/** Root may read everything, so it walks the folder as nobody. */
const isRoot = process.getuid?.() === 0;

describe("uploading a folder of which a part cannot be read", () => {
  let client: TestClient;
  let closed = "";
  beforeEach(async () => {
    client = await makeClient();
    await client.write("box/a.mp4", "a");
    await client.write("box/b.mp4", "b");
    closed = path.join(client.folder, "evidence", "box", "closed");
    await mkdir(closed, { mode: 0 });
    // Whatever this process's umask is by now: everyone may walk down to it.
    const box = path.dirname(closed);
    for (const folder of [client.folder, path.dirname(box), box]) await chmod(folder, 0o755);
    if (!isRoot) return;
    client.deps.source.list = async function* (location, watcher) {
      const entries: SourceEntry[] = [];
      process.seteuid?.(65_534);
      try {
        for await (const entry of folders.list(location, watcher)) entries.push(entry);
      } finally {
        process.seteuid?.(0);
      }
      yield* entries;
    };
  });
  afterEach(async () => {
    await chmod(closed, 0o700);
    await client.close();
  });

  function uploadBox(below: string, more: Partial<UploadRequest> = {}): Promise<Uploaded> {
    const box = path.join(client.folder, "evidence", "box", below);
    return upload(client.deps, uploadOf([box], more), soon());
  }

  it("sends the rest, each file an exhibit, and fails for that part", async () => {
    const { exhibits, failed, skipped } = await uploadBox("");
    expect(exhibits).toHaveLength(2);
    expect(skipped).toEqual([]);
    expect(failed).toMatchObject([{ path: "box/closed", code: "unavailable.source" }]);
    expect(exitCodeOfMany(exhibits.length, failed)).toBe(3);
    expect(client.deps.journal.openJobs()).toHaveLength(1);
  });

  it("fails for what vanishes before its turn", async () => {
    const box = path.dirname(closed);
    client.deps.source.list = async function* (location, watcher) {
      for await (const entry of folders.list(location, watcher)) {
        await rm(path.join(box, "b.mp4"), { force: true });
        yield entry;
      }
    };
    await chmod(closed, 0o700);
    const { exhibits, failed } = await uploadBox("");
    expect(exhibits).toHaveLength(1);
    expect(failed).toMatchObject([{ path: "box/b.mp4", code: "not-found.source" }]);
  });

  it.each([
    ["one exhibit of all of it", "", { oneExhibit: true }, ["box/closed", "box"]],
    ["nothing else", "closed", {}, ["closed"]],
  ])("seals nothing when asked for %s, and fails with its code", async (_, below, more, paths) => {
    const { exhibits, failed } = await uploadBox(below, more);
    expect(exhibits).toEqual([]);
    expect(failed.map(({ path }) => path)).toEqual(paths);
    expect(exitCodeOfMany(0, failed)).toBe(7);
    expect(await readdir(path.join(client.folder, "store"))).toEqual([]);
  });
});
