import { afterAll, beforeAll, expect, it, jest } from "@jest/globals";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { finish, start } from "../support/built-program.ts";
import { startBucketServer } from "../support/bucket-server.ts";
import { bootCeph, type Ceph } from "../support/ceph.ts";
import { asUser, makeBucket, succeed, type S3User } from "../support/s3-user.ts";

jest.setTimeout(180_000);

let ceph: Ceph;
let user: S3User;
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "exhibit-smoke-s3-"));
  ceph = await bootCeph();
  user = { ...(await ceph.addUser()), url: ceph.url };
});
afterAll(async () => {
  await ceph.close();
  await rm(folder, { recursive: true });
});

async function smoke(url: string): Promise<{ code: number | null; document: unknown }> {
  const { code, out } = await finish(start(folder, ["smoke", url, "--json"], asUser(user)));
  return { code, document: JSON.parse(out) as unknown };
}

/** All versions in a bucket, and its unfinished uploads. */
async function everythingIn(bucket: string): Promise<string> {
  const versions = await succeed(user, "GET", `/${bucket}`, { query: "versions=" });
  return `${versions}${await succeed(user, "GET", `/${bucket}`, { query: "uploads=" })}`;
}

it.each(["plain", "versioned"] as const)(
  "uploads, verifies and erases in a bucket that is %s, every version of it",
  async (kind) => {
    const bucket = `smoke-${kind}`;
    await makeBucket(user, bucket, kind);
    const url = `s3://${bucket}/evidence?endpoint=${user.url}`;
    const checked = await finish(start(folder, ["store", "check", url, "--json"], asUser(user)));
    expect(checked.code).toBe(0);
    const { code, document } = await smoke(url);
    expect(document).toMatchObject({ ok: true });
    expect(code).toBe(0);
    expect(await everythingIn(bucket)).not.toMatch(/SMOKE|<Key>|<UploadId>/);
  },
);

it("makes the whole round at a server whose content is in a bucket, and leaves nothing there", async () => {
  await makeBucket(user, "served", "versioned");
  const store = `s3://served/evidence?endpoint=${user.url}`;
  const server = await startBucketServer(folder, store, asUser(user));
  try {
    const { code, out } = await server.run("smoke", "--json");
    expect(JSON.parse(out)).toMatchObject({ ok: true });
    expect(code).toBe(0);
    expect(await everythingIn("served")).not.toContain("SMOKE");
  } finally {
    await server.close();
  }
});

it("says where a bucket locks all that is new, and writes nothing", async () => {
  await makeBucket(user, "locking", "GOVERNANCE");
  const { code, document } = await smoke(`s3://locking/evidence?endpoint=${user.url}`);
  expect(document).toMatchObject({ ok: false, failure: { code: "policy.unsupported" } });
  expect(code).toBe(9);
  expect(await everythingIn("locking")).not.toMatch(/<Key>/);
});
