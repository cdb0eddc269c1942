import { createHash, randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { sha256Of } from "../../src/evidence/digest.ts";
import { unchecked } from "../../src/stores/s3/enforced.ts";
import { s3Store } from "../../src/stores/s3/store.ts";
import { finish, start } from "../support/built-program.ts";
import { bootCeph, type Ceph } from "../support/ceph.ts";
import { withBucket } from "../support/opened-bucket.ts";
import { ask, asUser, makeBucket, succeed, type S3User } from "../support/s3-user.ts";
import { systemClock } from "../support/server.ts";

const { signal } = new AbortController();
let ceph: Ceph;
let user: S3User;
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "exhibit-unfinished-"));
  ceph = await bootCeph();
  user = { ...(await ceph.addUser()), url: ceph.url };
});
afterAll(async () => {
  await ceph.close();
  await rm(folder, { recursive: true, force: true });
});

describe("an unfinished upload", () => {
  const rule = (days: number, prefix: string, status = "Enabled"): string =>
    `<Rule><ID>${prefix}${days}</ID><Filter><Prefix>${prefix}</Prefix></Filter><Status>${status}</Status>` +
    `<AbortIncompleteMultipartUpload><DaysAfterInitiation>${days}</DaysAfterInitiation></AbortIncompleteMultipartUpload></Rule>`;
  let startedAt: number;
  beforeAll(async () => {
    await makeBucket(user, "unfinished");
    await withBucket(user, "unfinished", async (bucket) => {
      const store = s3Store(bucket, unchecked, systemClock);
      const bytes = randomBytes(5 * 1024 * 1024);
      startedAt = Date.now();
      const key = "01AB1/ABC_1/ABC_1-0001.mp4";
      const upload = await store.begin(key, 2 * bytes.byteLength, bytes.byteLength, signal);
      const part = { offset: 0, length: bytes.byteLength, sha256: sha256Of(bytes), bytes };
      await store.putPart(upload, part, signal);
    });
  });

  it.each<[what: string, rules: string, days: number | undefined, warned: boolean]>([
    ["no rule", "", undefined, false],
    ["a rule for all", rule(30, ""), 30, false],
    ["a rule for its prefix, sooner than others", rule(30, "") + rule(7, "evidence/"), 7, false],
    ["a rule for another prefix", rule(1, "elsewhere/"), undefined, false],
    ["a rule that is off", rule(1, "", "Disabled"), undefined, false],
    ["a rule that comes before it can be finished", rule(1, ""), 1, true],
  ])("shows its age, its size, and how long %s leaves it", async (_, rules, days, warned) => {
    const lifecycle = { query: "lifecycle=" };
    if (rules === "") await ask(user, "DELETE", "/unfinished", lifecycle);
    else {
      const body = `<LifecycleConfiguration>${rules}</LifecycleConfiguration>`;
      const md5 = createHash("md5").update(body).digest("base64");
      const headers = { "content-md5": md5 };
      await succeed(user, "PUT", "/unfinished", { ...lifecycle, headers, body });
    }
    const store = `s3://unfinished/evidence?endpoint=${encodeURIComponent(user.url)}`;
    const listed = await finish(start(folder, ["uploads", "list", "--store", store], asUser(user)));
    const date = days === undefined ? "-" : new Date(startedAt + days * 86_400_000).toISOString();
    expect(listed.code).toBe(0);
    expect(listed.out).toMatch(
      new RegExp(
        `01AB1:ABC/1  5\\.00 MiB of 10\\.0 MiB  \\S+  \\d+ (s|min).*  ${date.slice(0, 10)}  -\\n`,
      ),
    );
    expect(listed.err).toContain("takes 5.00 MiB of the store");
    expect(listed.err.includes("warning: The store forgets u")).toBe(warned);
  });
});
