import { randomBytes } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { buffer } from "node:stream/consumers";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "@jest/globals";
import { sha256Of } from "../../src/evidence/digest.ts";
import { unchecked } from "../../src/stores/s3/enforced.ts";
import { s3Store } from "../../src/stores/s3/store.ts";
import { finish, start } from "../support/built-program.ts";
import { bootCeph, type Ceph } from "../support/ceph.ts";
import { withBucket } from "../support/opened-bucket.ts";
import { ask, asUser, makeBucket, succeed, type S3User } from "../support/s3-user.ts";
import { systemClock } from "../support/server.ts";
import { bootSwift, type Swift } from "../support/swift.ts";

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
/** Another one for each test. */
let caseRef: string;
let ordinal = 0;

beforeEach(() => {
  ordinal += 1;
  caseRef = `01AB${ordinal}`;
});

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
  const what = ["--store", store, "--case", caseRef, "--ref", "ABC/1", "--one-exhibit"];
  return exhibit(who, "upload", ...files, ...what, "--part-size", "5M", ...flags, "--json");
}

function documentOf({ out }: Ran): UploadDocument {
  return JSON.parse(out) as UploadDocument;
}

/** The exhibit's objects as the engine lists them, newest version of each. */
async function versionsIn(who: S3User, bucket: string): Promise<[key: string, version: string][]> {
  const listed = await succeed(who, "GET", `/${bucket}`, {
    query: `prefix=evidence%2F${caseRef}%2F&versions=`,
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
  beforeAll(async () => {
    await checkedStore(user, "locks", "locked");
    await checkedStore(user, "locks-for-a-day", "GOVERNANCE");
  });
  const forDays = ["--retain-until", inDays(9)];
  const forAnHour = ["--retain-until", new Date(Date.now() + 3_600_000).toISOString()];
  const byNobody = ["--retain-mode", "compliance"];

  it.each<
    [what: string, bucket: string, flags: string[], mode: string, days: number, held: string]
  >([
    ["for a time", "locks", forDays, "GOVERNANCE", 9, "OFF"],
    ["unshortened by anyone", "locks", [...forDays, ...byNobody], "COMPLIANCE", 9, "OFF"],
    ["until a hold is lifted", "locks", ["--legal-hold"], "", 0, "ON"],
    ["in both ways", "locks", [...forDays, "--legal-hold"], "GOVERNANCE", 9, "ON"],
    ["for longer than the default", "locks-for-a-day", forDays, "GOVERNANCE", 9, "OFF"],
    ["for the default, if longer", "locks-for-a-day", forAnHour, "GOVERNANCE", 1, "OFF"],
  ])("%s", async (_, bucket, flags, mode, days, held) => {
    const began = Date.now();
    const uploaded = await upload(user, bucket, ...flags);
    expect(uploaded).toMatchObject({ code: 0, err: "" });
    const [{ retained = [] } = {}] = documentOf(uploaded).exhibits;
    expect(retained.map(({ key }) => key)).toEqual(names.map((name) => `${caseRef}/ABC_1/${name}`));

    const there = await versionsIn(user, bucket);
    expect(there.map(([key]) => key)).toEqual(
      names.map((name) => `evidence/${caseRef}/ABC_1/${name}`),
    );
    for (const [key, version] of there) {
      const at = `/${bucket}/${key}`;
      const lock = await ask(user, "GET", at, { query: `retention=&versionId=${version}` });
      const until = Date.parse(/<RetainUntilDate>(.*?)</.exec(lock.text)?.[1] ?? "");
      const hold = await ask(user, "GET", at, { query: `legal-hold=&versionId=${version}` });
      const shown = {
        mode: /<Mode>(.*?)</.exec(lock.text)?.[1] ?? "",
        isLong: mode === "" || until >= began + (days - 0.01) * 86_400_000,
        held: /<Status>(.*?)</.exec(hold.text)?.[1] ?? "OFF",
      };
      expect(shown).toEqual({ mode, isLong: true, held });
      const deleted = await ask(user, "DELETE", at, { query: `versionId=${version}` });
      expect([key, deleted.status]).toEqual([key, 403]);
      expect(retained.find((one) => at.endsWith(one.key))).toMatchObject({
        legalHold: held === "ON",
        ...(mode === ""
          ? {}
          : { period: { mode: mode.toLowerCase(), until: new Date(until).toISOString() } }),
      });
    }
    const record = await exhibit(user, "show", `${caseRef}:ABC/1`, "--store", bucket, "--json");
    expect(record.out).toContain('"retention":{');
  });

  it("when the same command asks for it of one that is there already", async () => {
    expect(await upload(user, "locks")).toMatchObject({ code: 0, err: "" });
    const again = await upload(user, "locks", "--legal-hold");
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

  it("more strictly than by the bucket's default, where nobody may change that: the upload says so of each object", async () => {
    await checkedStore(user, "stricter", "GOVERNANCE");
    const until = ["--retain-until", inDays(9), "--retain-mode", "compliance"];
    const refused = await upload(user, "stricter", ...until);
    expect(refused.code).toBe(9);
    const [failed] = documentOf(refused).failed;
    for (const name of names) expect(failed?.message).toContain(`${caseRef}/ABC_1/${name}: `);
    expect(await versionsIn(user, "stricter")).toHaveLength(names.length);
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
    for (const name of names) expect(failed[0]?.message).toContain(`${caseRef}/ABC_1/${name}: `);
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
    expect(await exhibit(user, "verify", `${caseRef}:ABC/1`, "--store", "lost")).toMatchObject({
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
    await checkedStore(swift, "says-yes", "locked");
    for (const flags of [["--retain-until", inDays(9)], ["--legal-hold"]]) {
      const { code, err } = await upload(swift, "says-yes", ...flags);
      expect([code, (JSON.parse(err) as { code: string }).code]).toEqual([9, "policy.unsupported"]);
    }
    const listed = await succeed(swift, "GET", "/says-yes", {
      query: `prefix=evidence%2F${caseRef}`,
    });
    expect(listed).not.toContain("<Key>");
  });

  it("nothing is sent to it, even if a check of another bucket had called it safe", async () => {
    await makeBucket(swift, "trap", "locked");
    await withBucket(swift, "trap", async (bucket) => {
      const called = {
        objectLock: "enabled",
        retentionBy: "put-retention",
        legalHold: true,
      } as const;
      const store = s3Store(bucket, { ...unchecked, payloadHash: true, ...called }, systemClock);
      const bytes = randomBytes(1000);
      const key = `${caseRef}/ABC_1/ABC_1-0001.mp4`;
      await store.put(key, bytes, sha256Of(bytes), signal);
      const period = { mode: "governance", until: `${inDays(9)}T00:00:00Z` } as const;
      await expect(store.retain(key, { period, legalHold: true }, signal)).rejects.toMatchObject({
        code: "policy.unsupported",
      });
      expect((await buffer(await store.open(key, undefined, signal))).equals(bytes)).toBe(true);
    });
  });
});
