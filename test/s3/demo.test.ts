import { execFile } from "node:child_process";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, it } from "@jest/globals";
import { bootCeph } from "../support/ceph.ts";
import { asUser, makeBucket, succeed } from "../support/s3-user.ts";

const demo = fileURLToPath(new URL("../../scripts/demo.js", import.meta.url));

it("the whole story of npm run demo goes its way with the content in a bucket", async () => {
  const ceph = await bootCeph();
  const folder = await mkdtemp(path.join(tmpdir(), "exhibit-demo-s3-"));
  try {
    const user = { ...(await ceph.addUser()), url: ceph.url };
    await makeBucket(user, "police");
    const store = `s3://police/evidence?endpoint=${encodeURIComponent(ceph.url)}`;
    const told = await promisify(execFile)(process.execPath, [demo, "--store", store], {
      cwd: folder,
      env: { ...process.env, ...asUser(user), CI: "" },
    });
    expect(told.stdout).toContain("the same command:");
    expect(told.stdout).toContain("Done in");
    expect((await readdir(path.join(folder, "demo-output"))).sort()).toEqual([
      "GN_1.receipt.json",
      "as-seen.jpg",
      "master.jpg",
    ]);
    // The clip, the call, the photo and the statement; and no view of any.
    const listed = await succeed(user, "GET", "/police", { query: "prefix=evidence%2FDEMO" });
    const names = [...listed.matchAll(/<Key>[^<]*\/([^/<]*)<\/Key>/g)].map(([, name]) => name);
    expect(names.filter((name) => !/\.jsonl?$/.test(name ?? ""))).toHaveLength(4);
  } finally {
    await ceph.close();
    await rm(folder, { recursive: true, force: true });
  }
}, 240_000);
