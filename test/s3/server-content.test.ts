import { randomBytes, randomUUID } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { Kysely } from "kysely";
import { sha256Of } from "../../src/evidence/digest.ts";
import type { Store } from "../../src/evidence/ports/store.ts";
import { openNetwork, type MachineNetwork } from "../../src/platform/network.ts";
import { sqliteDialect } from "../../src/platform/sqlite.ts";
import { partMemory } from "../../src/server/content/part-memory.ts";
import { migrate } from "../../src/server/database/migrate.ts";
import type { Tables } from "../../src/server/database/tables.ts";
import { claimPrefix, requireFit } from "../../src/stores/s3/claim.ts";
import { unchecked, type Enforced } from "../../src/stores/s3/enforced.ts";
import { openBucket } from "../../src/stores/s3/open-bucket.ts";
import { s3ServerContent } from "../../src/stores/s3/server-content.ts";
import { describeStore } from "../contracts/store.ts";
import { code, partsOf, signal } from "../contracts/store-under-test.ts";
import { bootCeph, type Ceph } from "../support/ceph.ts";
import { asUser, makeBucket } from "../support/s3-user.ts";
import { systemClock } from "../support/server.ts";
import { unlimited } from "../support/unlimited.ts";

const mib = 1024 * 1024;
const onCeph: Enforced = {
  ...unchecked,
  payloadHash: true,
  contentMd5: true,
  versioning: "off",
  noOverwritePut: true,
};
/** An engine that compares no more than the MD5 of a body. */
const byMd5: Enforced = { ...onCeph, payloadHash: false };
const versioned: Enforced = { ...onCeph, versioning: "enabled", noOverwritePut: false };

let ceph: Ceph;
let network: MachineNetwork;
let folder: string;
let database: Kysely<Tables>;

beforeAll(async () => {
  ceph = await bootCeph();
  network = openNetwork({
    proxyUrl: undefined,
    noProxy: undefined,
    caPem: undefined,
    pace: unlimited,
  });
  folder = await mkdtemp(path.join(tmpdir(), "exhibit-content-"));
  database = new Kysely<Tables>({ dialect: sqliteDialect(path.join(folder, "db.sqlite")) });
  await migrate(database);
});
afterAll(async () => {
  await database.destroy();
  await network.close();
  await ceph.close();
  await rm(folder, { recursive: true, force: true });
});

async function newBucket(kind: "plain" | "versioned" = "plain"): Promise<string> {
  const user = { ...(await ceph.addUser()), url: ceph.url };
  Object.assign(process.env, asUser(user));
  const name = `content-${randomUUID()}`;
  await makeBucket(user, name, kind);
  return name;
}

function bucketAt(name: string, more = ""): ReturnType<typeof openBucket> {
  const url = `s3://${name}/evidence?endpoint=${ceph.url}${more}`;
  return openBucket(url, { network, clock: systemClock, customerKey: undefined });
}

/** As a server has it that was just started. */
function opened(name: string, enforced = onCeph, more = ""): Store {
  return s3ServerContent(bucketAt(name, more), enforced, systemClock, partMemory(database));
}

describeStore(
  "A bucket under an exhibit server",
  async () => {
    const name = await newBucket();
    let ordinal = 0;
    return {
      open: () => Promise.resolve(opened(name)),
      newKey: (exhibit = "a") => {
        ordinal += 1;
        return `${exhibit === "a" ? "A-B" : "A"}/ABC_1/ABC_1-${String(ordinal).padStart(4, "0")}.bin`;
      },
      close: () => Promise.resolve(),
    };
  },
  5 * mib,
);

describe("content in a bucket", () => {
  const content = randomBytes(11 * mib);
  const sha256 = sha256Of(content);
  const key = "A/ABC_1/ABC_1-0001.bin";

  async function sent(store: Store): ReturnType<Store["begin"]> {
    const upload = await store.begin(key, content.byteLength, 5 * mib, signal);
    for (const part of partsOf(content, 5 * mib)) await store.putPart(upload, part, signal);
    return upload;
  }

  it.each([
    ["that compares SHA-256", onCeph, "plain"],
    ["that compares MD5", byMd5, "plain"],
    ["that keeps versions", versioned, "versioned"],
  ] as const)(
    "is read back, and taken away where it is other than was said, in an engine %s",
    async (_, enforced, kind) => {
      const name = await newBucket(kind);
      const store = opened(name, enforced);
      const upload = await sent(store);
      const wrong = store.complete(upload, { sha256: sha256Of("other") }, signal);
      await expect(wrong).rejects.toEqual(code("integrity.mismatch"));
      expect(await store.stat(key, signal)).toBeUndefined();
      expect(await store.uploads(signal)).toEqual([]);
      let provedBytes = 0;
      const again = await store.complete(await sent(store), { sha256 }, signal, (bytes) => {
        provedBytes = bytes;
      });
      expect(again).toMatchObject({ key, sizeBytes: content.byteLength, sha256, proof: "whole" });
      expect(provedBytes).toBe(content.byteLength);
    },
  );

  it.each([
    ["put", (store: Store) => store.put(key, content, sha256Of("other"), signal)],
    [
      "putPart",
      async (store: Store) => {
        const upload = await store.begin(key, content.byteLength, 5 * mib, signal);
        const [part] = partsOf(content, 5 * mib);
        if (part !== undefined)
          await store.putPart(upload, { ...part, sha256: sha256Of("other") }, signal);
      },
    ],
  ] as const)("refuses in %s what is other than was said", async (_, send) => {
    for (const enforced of [onCeph, byMd5]) {
      const store = opened(await newBucket(), enforced);
      await expect(send(store)).rejects.toEqual(code("integrity.mismatch"));
      expect(await store.stat(key, signal)).toBeUndefined();
    }
  });

  it.each([
    ["plain", (): string => ""],
    ["encrypted by a key service", (): string => `&sse=kms&kms-key=${ceph.kmsKeyId}`],
  ] as const)(
    "has the digests of its parts after a restart, so that none is sent again: %s",
    async (_, more) => {
      const name = await newBucket();
      const before = opened(name, onCeph, more());
      const upload = await before.begin(key, content.byteLength, 5 * mib, signal);
      const [first, second, ...rest] = partsOf(content, 5 * mib);
      if (first === undefined || second === undefined) throw new Error("There are no parts.");
      await before.putPart(upload, second, signal);
      await before.putPart(upload, first, signal);

      const after = opened(name, onCeph, more());
      const held = await after.listParts(upload, signal);
      expect(held.map(({ digest }) => digest)).toEqual([
        { algorithm: "sha256", hex: first.sha256 },
        { algorithm: "sha256", hex: second.sha256 },
      ]);
      for (const part of rest) await after.putPart(upload, part, signal);
      expect(await after.complete(upload, { sha256 }, signal)).toMatchObject({ proof: "whole" });
      expect(await partMemory(database).recall(upload.id)).toEqual([]);
    },
  );

  it("goes on where a server stopped that had put it together and not proved it yet", async () => {
    const name = await newBucket();
    const first = opened(name);
    const upload = await sent(first);
    const stop = new AbortController();
    const stopped = first.complete(upload, { sha256 }, stop.signal, () => {
      stop.abort();
    });
    await expect(stopped).rejects.toThrow(/abort/);
    expect(await first.stat(key, signal)).toBeDefined();

    const second = opened(name);
    const found = await second.begin(key, content.byteLength, 5 * mib, signal);
    expect(found).toEqual(upload);
    const held = await second.listParts(found, signal);
    expect(held.map(({ offset, digest }) => [offset, digest])).toEqual(
      partsOf(content, 5 * mib).map((part) => [
        part.offset,
        { algorithm: "sha256", hex: part.sha256 },
      ]),
    );
    const other = second.complete(found, { sha256 }, signal);
    expect(await other).toMatchObject({ sha256, proof: "whole" });
    await expect(second.begin(key, content.byteLength, 5 * mib, signal)).rejects.toEqual(
      code("conflict.exists"),
    );
  });

  it.each([
    ["plain", onCeph],
    ["versioned", versioned],
  ] as const)("belongs to one server, in a bucket that is %s", async (kind, enforced) => {
    const bucket = bucketAt(await newBucket(kind));
    const claim = (thumbprint: string, isNew = true, former: string[] = []): Promise<void> =>
      claimPrefix(bucket, enforced, { thumbprint, former, isNew }, signal);
    await expect(claim("one", false)).rejects.toEqual(code("not-found.content"));
    const racers = await Promise.allSettled(["one", "two", "three"].map((who) => claim(who)));
    expect(racers.map(({ status }) => status).sort()).toEqual([
      "fulfilled",
      "rejected",
      "rejected",
    ]);
    const winner = ["one", "two", "three"][
      racers.findIndex(({ status }) => status === "fulfilled")
    ];
    await claim(winner ?? "", false);
    await expect(claim("four")).rejects.toEqual(code("conflict.locked"));
    // Its next key takes it over, once and for all; an old copy of its data folder has it no more.
    await expect(claim("next", false, ["other"])).rejects.toEqual(code("conflict.locked"));
    await claim("next", false, [winner ?? ""]);
    await claim("next", false, [winner ?? ""]);
    await expect(claim(winner ?? "", false)).rejects.toEqual(code("conflict.locked"));
  });

  it.each([
    ["compares SHA-256 and does not overwrite", onCeph, true],
    ["compares MD5 and does not overwrite", byMd5, true],
    ["overwrites, but keeps versions", versioned, true],
    ["compares nothing", { ...onCeph, payloadHash: false, contentMd5: false }, false],
    ["overwrites", { ...onCeph, noOverwritePut: false }, false],
    ["kept versions once", { ...versioned, versioning: "suspended" }, false],
  ] as const)("in an engine that %s (fits: %#)", (_, enforced, fits) => {
    const check = (): void => {
      requireFit(bucketAt("any"), enforced);
    };
    if (fits) check();
    else expect(check).toThrow(code("policy.unsupported"));
  });
});
