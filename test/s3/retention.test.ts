import { randomBytes } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { buffer } from "node:stream/consumers";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { sha256Of } from "../../src/evidence/digest.ts";
import { openNetwork } from "../../src/platform/network.ts";
import { unchecked } from "../../src/stores/s3/enforced.ts";
import { openBucket } from "../../src/stores/s3/open-bucket.ts";
import { s3Store } from "../../src/stores/s3/store.ts";
import { finish, start } from "../support/built-program.ts";
import { bootCeph, type Ceph } from "../support/ceph.ts";
import { ask, asUser, makeBucket, succeed, type S3User } from "../support/s3-user.ts";
import { systemClock } from "../support/server.ts";
import { bootSwift, type Swift } from "../support/swift.ts";
import { unlimited } from "../support/unlimited.ts";

interface UploadDocument {
  readonly exhibits: readonly {
    readonly outcome: string;
    readonly retained?: readonly {
      readonly key: string;
      readonly period?: { readonly mode: string; readonly until: string };
      readonly legalHold: boolean;
    }[];
  }[];
  readonly failed: readonly { readonly code: string; readonly message: string }[];
}

const { signal } = new AbortController();
let ceph: Ceph;
let user: S3User;
let folder: string;
let files: readonly string[];

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "exhibit-retention-"));
  ceph = await bootCeph();
  user = { ...(await ceph.addUser()), url: ceph.url };
  // One in a single request, one in parts.
  files = await Promise.all(
    [70_000, 12 * 1024 * 1024].map(async (bytes) => {
      const file = path.join(folder, `camera-${bytes}.mp4`);
      await writeFile(file, randomBytes(bytes));
      return file;
    }),
  );
});
afterAll(async () => {
  await ceph.close();
  await rm(folder, { recursive: true, force: true });
});

type Ran = Awaited<ReturnType<typeof finish>>;

function exhibit(who: S3User, ...argv: string[]): Promise<Ran> {
  return finish(start(folder, argv, asUser(who)));
}

/** A new bucket as a store of the same name, tried out. */
async function checkedStore(
  who: S3User,
  name: string,
  kind: Parameters<typeof makeBucket>[2],
): Promise<void> {
  await makeBucket(who, name, kind);
  const url = `s3://${name}/evidence?endpoint=${encodeURIComponent(who.url)}`;
  expect(await exhibit(who, "store", "add", name, url)).toMatchObject({ code: 0 });
  expect(await exhibit(who, "store", "check", name)).toMatchObject({ code: 0 });
}

/** Uploads the files as one exhibit. */
function upload(who: S3User, store: string, ...flags: readonly string[]): Promise<Ran> {
  const what = ["--store", store, "--case", "01AB1", "--ref", "ABC/1", "--one-exhibit"];
  return exhibit(who, "upload", ...files, ...what, "--part-size", "5M", ...flags, "--json");
}

function documentOf({ out }: Ran): UploadDocument {
  return JSON.parse(out) as UploadDocument;
}

/** The exhibit's objects as the engine lists them, newest version of each. */
async function versionsIn(who: S3User, bucket: string): Promise<[key: string, version: string][]> {
  const listed = await succeed(who, "GET", `/${bucket}`, {
    query: "prefix=evidence%2F01AB1%2F&versions=",
  });
  const found = listed.matchAll(/<Version>.*?<Key>(.*?)<.*?<VersionId>(.*?)<.*?<\/Version>/gs);
  return [...found].map(([, key = "", version = ""]) => [key, version]);
}

function inDays(days: number): string {
  return new Date(Date.now() + days * 86_400_000).toISOString().slice(0, 10);
}

const names = [
  "ABC_1-0001.mp4",
  "ABC_1-0002.mp4",
  "custody.jsonl",
  "receipt.json",
  "record.json",
  "reservation.json",
];

describe("an exhibit is retained", () => {
  it.each<
    [what: string, kind: "locked" | "GOVERNANCE", flags: string[], shown: RegExp, held: string]
  >([
    ["for a time", "locked", ["--retain-until", inDays(9)], /GOVERNANCE/, "OFF"],
    [
      "for a time that nobody can shorten",
      "locked",
      ["--retain-until", inDays(9), "--retain-mode", "compliance"],
      /COMPLIANCE/,
      "OFF",
    ],
    ["until a hold is lifted", "locked", ["--legal-hold"], /^$/, "ON"],
    [
      "for a time and until a hold is lifted",
      "locked",
      ["--retain-until", inDays(9), "--legal-hold"],
      /GOVERNANCE/,
      "ON",
    ],
    [
      "for longer than the bucket's default",
      "GOVERNANCE",
      ["--retain-until", inDays(9)],
      /GOVERNANCE/,
      "OFF",
    ],
    [
      "more strictly than by the bucket's default",
      "GOVERNANCE",
      [
        "--retain-until",
        new Date(Date.now() + 60_000).toISOString(),
        "--retain-mode",
        "compliance",
      ],
      /COMPLIANCE/,
      "OFF",
    ],
    [
      "by the bucket's default, where that is enough",
      "GOVERNANCE",
      ["--retain-until", new Date(Date.now() + 60_000).toISOString()],
      /GOVERNANCE/,
      "OFF",
    ],
  ])("%s", async (what, kind, flags, shown, held) => {
    const bucket = sha256Of(what).slice(0, 20);
    await checkedStore(user, bucket, kind);
    const uploaded = await upload(user, bucket, ...flags);
    expect(uploaded).toMatchObject({ code: 0, err: "" });
    const [{ retained = [] } = {}] = documentOf(uploaded).exhibits;
    expect(retained.map(({ key }) => key)).toEqual(names.map((name) => `01AB1/ABC_1/${name}`));

    const there = await versionsIn(user, bucket);
    expect(there.map(([key]) => key)).toEqual(names.map((name) => `evidence/01AB1/ABC_1/${name}`));
    for (const [key, version] of there) {
      const at = `/${bucket}/${key}`;
      const lock = await ask(user, "GET", at, { query: `retention=&versionId=${version}` });
      expect(/<Mode>(.*?)</.exec(lock.text)?.[1] ?? "").toMatch(shown);
      const hold = await ask(user, "GET", at, { query: `legal-hold=&versionId=${version}` });
      expect(/<Status>(.*?)</.exec(hold.text)?.[1] ?? "OFF").toBe(held);
      const deleted = await ask(user, "DELETE", at, { query: `versionId=${version}` });
      expect([key, deleted.status]).toEqual([key, 403]);
      const told = retained.find((one) => at.endsWith(one.key));
      expect(told?.legalHold).toBe(held === "ON");
      const until = Date.parse(/<RetainUntilDate>(.*?)</.exec(lock.text)?.[1] ?? "");
      if (told?.period !== undefined) expect(Date.parse(told.period.until)).toBe(until);
      expect(told?.period?.mode.toUpperCase() ?? "").toMatch(shown);
    }
    const record = await exhibit(user, "show", "01AB1:ABC/1", "--store", bucket, "--json");
    expect(record.out).toContain('"retention":{');
  });

  it("when the same command asks for it of one that is there already", async () => {
    await checkedStore(user, "later", "locked");
    expect(await upload(user, "later")).toMatchObject({ code: 0, err: "" });
    const again = await upload(user, "later", "--legal-hold");
    expect(again).toMatchObject({ code: 0, err: "" });
    const [found] = documentOf(again).exhibits;
    expect(found?.outcome).toBe("already-present");
    expect(found?.retained?.map(({ legalHold }) => legalHold)).toEqual(names.map(() => true));
  });
});

describe("an exhibit is not retained", () => {
  it.each(["plain", "versioned"] as const)(
    "by a %s bucket: the flags are refused before the first byte",
    async (kind) => {
      await checkedStore(user, `no-${kind}`, kind);
      for (const flags of [["--retain-until", inDays(9)], ["--legal-hold"]]) {
        const { code, err } = await upload(user, `no-${kind}`, ...flags);
        expect([code, (JSON.parse(err) as { code: string }).code]).toEqual([
          9,
          "policy.unsupported",
        ]);
      }
      expect(await versionsIn(user, `no-${kind}`)).toEqual([]);
    },
  );

  it("by a folder: the flags are refused before the first byte", async () => {
    const { code, err } = await upload(user, `file://${folder}`, "--legal-hold");
    expect([code, (JSON.parse(err) as { code: string }).code]).toEqual([9, "policy.unsupported"]);
  });

  it("when the engine does not permit it any more: the upload says so of each object, and all stay", async () => {
    await checkedStore(user, "denied", "locked");
    const policy = {
      Version: "2012-10-17",
      Statement: [
        {
          Effect: "Deny",
          Principal: "*",
          Action: ["s3:PutObjectRetention"],
          Resource: ["arn:aws:s3:::denied/*"],
        },
      ],
    };
    await succeed(user, "PUT", "/denied", { query: "policy=", body: JSON.stringify(policy) });
    const until = ["--retain-until", inDays(9)];
    const refused = await upload(user, "denied", ...until);
    expect(refused.code).toBe(9);
    const { failed, exhibits } = documentOf(refused);
    expect([exhibits.length, failed.map(({ code }) => code)]).toEqual([0, ["policy.not-retained"]]);
    for (const name of names) expect(failed[0]?.message).toContain(`01AB1/ABC_1/${name}: `);
    expect(await versionsIn(user, "denied")).toHaveLength(names.length);

    await succeed(user, "DELETE", "/denied", { query: "policy=" });
    const again = await upload(user, "denied", ...until);
    expect(again).toMatchObject({ code: 0, err: "" });
    expect(documentOf(again).exhibits[0]?.retained).toHaveLength(names.length);
  });

  it("by a bucket that lost its lock since it was tried out: nothing is set, and the upload says so", async () => {
    await checkedStore(user, "lost", "locked");
    await succeed(user, "DELETE", "/lost");
    await makeBucket(user, "lost", "versioned");
    const refused = await upload(user, "lost", "--legal-hold");
    expect(refused.code).toBe(9);
    expect(documentOf(refused).failed.map(({ code }) => code)).toEqual(["policy.not-retained"]);
    expect(await exhibit(user, "verify", "01AB1:ABC/1", "--store", "lost")).toMatchObject({
      code: 0,
    });
  });
});

describe("on an engine that says yes to a lock and overwrites the object by it", () => {
  let swift: Swift;
  beforeAll(async () => {
    swift = await bootSwift();
  });
  afterAll(() => swift.close());

  it("the flags are refused before the first byte", async () => {
    await checkedStore(swift, "swift", "locked");
    for (const flags of [["--retain-until", inDays(9)], ["--legal-hold"]]) {
      const { code, err } = await upload(swift, "swift", ...flags);
      expect([code, (JSON.parse(err) as { code: string }).code]).toEqual([9, "policy.unsupported"]);
    }
    const listed = await succeed(swift, "GET", "/swift", { query: "prefix=evidence%2F01AB1" });
    expect(listed).not.toContain("<Key>");
  });

  it("nothing is sent to it, even if a check of another bucket had called it safe", async () => {
    await makeBucket(swift, "trap", "locked");
    Object.assign(process.env, asUser(swift));
    const network = openNetwork({
      proxyUrl: undefined,
      noProxy: undefined,
      caPem: undefined,
      pace: unlimited,
    });
    try {
      const bucket = openBucket(`s3://trap/evidence?endpoint=${swift.url}`, {
        network,
        clock: systemClock,
        customerKey: undefined,
      });
      const called = {
        objectLock: "enabled",
        retentionBy: "put-retention",
        legalHold: true,
      } as const;
      const store = s3Store(bucket, { ...unchecked, payloadHash: true, ...called }, systemClock);
      const bytes = randomBytes(1000);
      const key = "01AB1/ABC_1/ABC_1-0001.mp4";
      await store.put(key, bytes, sha256Of(bytes), signal);
      const period = { mode: "governance", until: `${inDays(9)}T00:00:00Z` } as const;
      await expect(store.retain(key, { period, legalHold: true }, signal)).rejects.toMatchObject({
        code: "policy.unsupported",
      });
      expect((await buffer(await store.open(key, undefined, signal))).equals(bytes)).toBe(true);
    } finally {
      await network.close();
    }
  });
});
