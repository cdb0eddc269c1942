import { afterAll, beforeAll, beforeEach, expect, it } from "@jest/globals";
import { randomBytes, randomUUID } from "node:crypto";
import { buffer } from "node:stream/consumers";
import { sha256Of } from "../../src/evidence/digest.ts";
import type { Store } from "../../src/evidence/ports/store.ts";
import { unchecked, type Enforced } from "../../src/stores/s3/enforced.ts";
import { s3Store } from "../../src/stores/s3/store.ts";
import { startAnsweringProxy, type AnsweringProxy } from "../support/answering-proxy.ts";
import { bootCeph, type Ceph } from "../support/ceph.ts";
import { withBucket } from "../support/opened-bucket.ts";
import { makeBucket, succeed, type S3User } from "../support/s3-user.ts";
import { systemClock } from "../support/server.ts";

const { signal } = new AbortController();
const key = "A/ABC_1/ABC_1-0001.mp4";
const plain: Enforced = {
  ...unchecked,
  payloadHash: true,
  noOverwritePut: true,
  versioning: "off",
};
/** This engine ignores If-None-Match where it keeps versions. */
const versioned: Enforced = { ...plain, versioning: "enabled" };

let ceph: Ceph;
let user: S3User;
let proxy: AnsweringProxy;
beforeAll(async () => {
  ceph = await bootCeph();
  user = { ...(await ceph.addUser()), url: ceph.url };
  proxy = await startAnsweringProxy(Number(new URL(ceph.url).port));
});
beforeEach(() => {
  proxy.rules = [];
});
afterAll(async () => {
  await proxy.close();
  await ceph.close();
});

async function withStore(
  kind: Parameters<typeof makeBucket>[2],
  enforced: Enforced,
  use: (store: Store, name: string) => Promise<void>,
): Promise<void> {
  const name = `over-${randomUUID()}`;
  await makeBucket(user, name, kind);
  const through = { ...user, url: proxy.url };
  await withBucket(through, name, (bucket) => use(s3Store(bucket, enforced, systemClock), name));
}

function put(store: Store, bytes: Buffer): ReturnType<Store["put"]> {
  return store.put(key, bytes, sha256Of(bytes), signal);
}

async function held(store: Store): Promise<string> {
  return sha256Of(await buffer(await store.open(key, undefined, signal)));
}

it("content that only says of itself to be the same is not taken for it", async () => {
  await withStore("plain", plain, async (store, name) => {
    const [ours, theirs] = [randomBytes(1000), "x".repeat(1000)] as const;
    await succeed(user, "PUT", `/${name}/evidence/${key}`, {
      body: theirs,
      headers: { "x-amz-meta-exhibit-sha256": sha256Of(ours) },
    });
    await expect(put(store, ours)).rejects.toMatchObject({ code: "conflict.exists" });
    expect(await held(store)).toBe(sha256Of(Buffer.from(theirs)));
  });
});

it("a bucket that was given versions behind its check is not written over", async () => {
  await withStore("plain", plain, async (store, name) => {
    const first = randomBytes(1000);
    await put(store, first);
    const body = "<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>";
    await succeed(user, "PUT", `/${name}`, { query: "versioning=", body });
    await expect(put(store, randomBytes(1000))).rejects.toMatchObject({ code: "conflict.exists" });
    expect(await held(store)).toBe(sha256Of(first));
  });
});

it.each(["versioned", "locked", "GOVERNANCE"] as const)(
  "an upload that was given up can begin again, also where its note is locked: %s",
  async (kind) => {
    await withStore(kind, versioned, async (store) => {
      const bytes = randomBytes(6 * 1024 * 1024);
      const partBytes = 5 * 1024 * 1024;
      for (let times = 0; times < 3; times += 1) {
        const upload = await store.begin(key, bytes.length, partBytes, signal);
        await store.abort(upload, signal);
      }
      const upload = await store.begin(key, bytes.length, partBytes, signal);
      for (let offset = 0; offset < bytes.length; offset += partBytes) {
        const part = bytes.subarray(offset, offset + partBytes);
        const sha256 = sha256Of(part);
        await store.putPart(upload, { offset, length: part.length, sha256, bytes: part }, signal);
      }
      await store.complete(upload, { sha256: sha256Of(bytes) }, signal);
      expect(await held(store)).toBe(sha256Of(bytes));
      expect(await store.uploads(signal)).toEqual([]);
    });
  },
);

it.each(["versioned", "GOVERNANCE"] as const)(
  "of two who write at the same moment one has the first version, and the other is told: %s",
  async (kind) => {
    await withStore(kind, versioned, async (store) => {
      const both = [randomBytes(1000), randomBytes(1000)];
      // The first that writes waits for the other to have looked.
      proxy.rules = [{ on: /^PUT /, deed: { behind: 1 }, times: 1 }];
      const ends = await Promise.allSettled(both.map((bytes) => put(store, bytes)));
      const failures = ends.flatMap((end) =>
        end.status === "rejected" ? [end.reason as Error] : [],
      );
      expect(failures).toHaveLength(1);
      expect(failures[0]).toMatchObject({ code: "conflict.exists" });
      if (kind === "GOVERNANCE") expect(failures[0]?.message).toContain("lies over it");
      else expect(both.map(sha256Of)).toContain(await held(store));
    });
  },
);

it("an upload that was put together over something else stays refused when it is completed again", async () => {
  await withStore("GOVERNANCE", versioned, async (store, name) => {
    const bytes = randomBytes(5 * 1024 * 1024);
    const upload = await store.begin(key, bytes.length, bytes.length, signal);
    const part = { offset: 0, length: bytes.length, sha256: sha256Of(bytes), bytes };
    await store.putPart(upload, part, signal);
    const between = async (): Promise<void> => {
      await succeed(user, "PUT", `/${name}/evidence/${key}`, { body: "somebody else's" });
    };
    proxy.rules = [{ on: /^POST .*uploadId=/, deed: { after: between }, times: 1 }];
    for (let times = 0; times < 2; times += 1) {
      await expect(store.complete(upload, { sha256: part.sha256 }, signal)).rejects.toMatchObject({
        code: "conflict.exists",
      });
    }
    expect(await held(store)).toBe(part.sha256);
  });
});
