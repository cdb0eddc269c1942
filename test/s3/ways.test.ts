import { randomBytes } from "node:crypto";
import { chmod, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { buffer } from "node:stream/consumers";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { sha256Of } from "../../src/evidence/digest.ts";
import { openNetwork } from "../../src/platform/network.ts";
import { openBucket } from "../../src/stores/s3/open-bucket.ts";
import { unchecked } from "../../src/stores/s3/enforced.ts";
import { s3Store } from "../../src/stores/s3/store.ts";
import { finish, start } from "../support/built-program.ts";
import { bootCeph, type Ceph } from "../support/ceph.ts";
import { sha256OfFile, writeRandom } from "../support/kill-and-resume.ts";
import { ask, asUser, makeBucket, succeed, type S3User } from "../support/s3-user.ts";
import { unlimited } from "../support/unlimited.ts";

const mib = 1024 * 1024;
const { signal } = new AbortController();
const sseKey = randomBytes(32).toString("base64");

let ceph: Ceph;
let user: S3User;
let folder: string;
let large: string;
let small: string;
let ordinal = 0;

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "exhibit-ways-"));
  ceph = await bootCeph();
  user = { ...(await ceph.addUser()), url: ceph.url };
  large = path.join(folder, "bus 42.mp4");
  small = path.join(folder, "still.jpg");
  await writeRandom(large, 12 * mib);
  await writeRandom(small, 70_000);
});
afterAll(async () => {
  await ceph.close();
  await rm(folder, { recursive: true, force: true });
});

interface Way {
  readonly url?: string;
  readonly search?: string;
  readonly env?: NodeJS.ProcessEnv;
}

/** Uploads both files to a new bucket, reads them back by `verify --deep` and by `download`, and gives the bucket's name. */
async function thereAndBack({ url = ceph.url, search = "", env = {} }: Way): Promise<string> {
  ordinal += 1;
  const bucket = `way-${ordinal}`;
  await makeBucket(user, bucket);
  const store = `s3://${bucket}/evidence?endpoint=${encodeURIComponent(url)}${search}`;
  const exhibit = (...argv: string[]) =>
    finish(start(folder, [...argv, "--store", store], { ...asUser(user), ...env }));
  const checked = await finish(
    start(folder, ["store", "check", store], { ...asUser(user), ...env }),
  );
  expect(checked).toMatchObject({ code: 0 });
  const what = ["--one-exhibit", "--case", "WAYS/1", "--ref", "ABC/1"];
  const pace = ["--part-size", "5M", "--bwlimit", "6M"];
  const uploaded = await exhibit("upload", large, small, ...what, ...pace, "--json");
  expect(uploaded).toMatchObject({ code: 0, err: "" });
  expect(await exhibit("verify", "WAYS/1:ABC/1")).toMatchObject({ code: 0 });
  const back = path.join(folder, bucket);
  expect(await exhibit("download", "WAYS/1:ABC/1", "--to", back)).toMatchObject({ code: 0 });
  for (const file of [large, small]) {
    const copy = path.join(back, path.basename(file));
    expect(await sha256OfFile(copy)).toBe(await sha256OfFile(file));
  }
  return bucket;
}

const content = "evidence/WAYS_1/ABC_1/ABC_1-0001.mp4";

describe("evidence goes into a bucket and comes back", () => {
  it("over TLS, by a certificate of the force's own authority", async () => {
    await thereAndBack({
      url: ceph.tls.url,
      env: { EXHIBIT_CA_FILE: ceph.tls.caFile },
    });
  });

  it("encrypted with a key that the engine never keeps, and nobody reads it without", async () => {
    const way = { url: ceph.tls.url, search: "&sse=customer" };
    const env = { EXHIBIT_CA_FILE: ceph.tls.caFile, EXHIBIT_SSE_C_KEY: sseKey };
    const bucket = await thereAndBack({ ...way, env });
    expect(await ask(user, "GET", `/${bucket}/${content}`)).toMatchObject({ status: 400 });
  });

  it("encrypted by a key service", async () => {
    const bucket = await thereAndBack({ search: `&sse=kms&kms-key=${ceph.kmsKeyId}` });
    expect(await ask(user, "GET", `/${bucket}/${content}`)).toMatchObject({ status: 200 });
  });

  it("with keys that a program hands out for a moment only, also in the middle of a file", async () => {
    const { accessKeyId, secretAccessKey } = user;
    const calls = path.join(folder, "calls");
    const keys = path.join(folder, "keys.mjs");
    await writeFile(
      keys,
      `#!${process.execPath}
import { appendFileSync } from "node:fs";
appendFileSync(${JSON.stringify(calls)}, "x");
const Expiration = new Date(Date.now() + 1000).toISOString();
console.log(JSON.stringify({ Version: 1, AccessKeyId: ${JSON.stringify(accessKeyId)}, SecretAccessKey: ${JSON.stringify(secretAccessKey)}, Expiration }));
`,
    );
    await chmod(keys, 0o700);
    const config = path.join(folder, "aws-config");
    await writeFile(config, `[profile police]\ncredential_process = ${keys}\n`);
    const env = {
      AWS_ACCESS_KEY_ID: undefined,
      AWS_SECRET_ACCESS_KEY: undefined,
      AWS_CONFIG_FILE: config,
    };
    await thereAndBack({ search: "&profile=police", env });
    // Each of the upload's three parts is longer on its way than the keys are good for.
    expect((await readFile(calls)).byteLength).toBeGreaterThan(4);
  });
});

it.each([
  ["five hours ahead", 5],
  ["five hours behind", -5],
])("a clock that is %s does not keep content from arriving", async (_, hours) => {
  Object.assign(process.env, asUser(user));
  const bucket = `clock-${hours > 0 ? "ahead" : "behind"}`;
  await makeBucket(user, bucket);
  const network = openNetwork({
    proxyUrl: undefined,
    noProxy: undefined,
    caPem: undefined,
    pace: unlimited,
  });
  const clock = { now: () => new Date(Date.now() + hours * 3_600_000) };
  try {
    const opened = openBucket(`s3://${bucket}/evidence?endpoint=${ceph.url}`, {
      network,
      clock,
      customerKey: undefined,
    });
    const store = s3Store(opened, { ...unchecked, payloadHash: true }, clock);
    const bytes = randomBytes(1000);
    await store.put("WAYS_1/ABC_1/ABC_1-0001.bin", bytes, sha256Of(bytes), signal);
    const read = await buffer(await store.open("WAYS_1/ABC_1/ABC_1-0001.bin", undefined, signal));
    expect(read.equals(bytes)).toBe(true);
  } finally {
    await network.close();
  }
});

it("keys that may only read verify an exhibit, and an upload with them is refused as what it is", async () => {
  const bucket = await thereAndBack({});
  const reader = { ...(await ceph.addUser()), url: ceph.url };
  const statement = (action: string[], resource: string) => ({
    Effect: "Allow",
    Principal: { AWS: [`arn:aws:iam:::user/${reader.id}`] },
    Action: action.map((name) => `s3:${name}`),
    Resource: [`arn:aws:s3:::${resource}`],
  });
  const Statement = [
    statement(["ListBucket", "GetBucketLocation"], bucket),
    statement(["GetObject"], `${bucket}/*`),
  ];
  const body = JSON.stringify({ Version: "2012-10-17", Statement });
  await succeed(user, "PUT", `/${bucket}`, { query: "policy=", body });
  const store = `s3://${bucket}/evidence?endpoint=${encodeURIComponent(ceph.url)}`;
  const exhibit = (...argv: string[]) =>
    finish(start(folder, [...argv, "--store", store, "--json"], asUser(reader)));
  expect(await exhibit("verify", "WAYS/1:ABC/1")).toMatchObject({ code: 0 });
  const refused = await exhibit("upload", small, "--case", "WAYS/1", "--ref", "ABC/2");
  expect(refused.code).toBe(9);
  expect(`${refused.out}${refused.err}`).toContain("policy.not-permitted");
});

it("a bucket that is set up as docs/s3.md says takes evidence, locks it, and lets the uploader delete none", async () => {
  const guide = await readFile(new URL("../../docs/s3.md", import.meta.url), "utf8");
  const policy = /```json\n(\{.*?"Statement".*?)```/s.exec(guide)?.[1] ?? "";
  const uploader = { ...(await ceph.addUser()), url: ceph.url };
  await makeBucket(user, "evidence", "locked");
  const body = policy.replaceAll("UPLOADER", uploader.id);
  await succeed(user, "PUT", "/evidence", { query: "policy=", body });
  const store = `s3://evidence/police?endpoint=${encodeURIComponent(ceph.url)}`;
  const exhibit = (...argv: string[]) => finish(start(folder, argv, asUser(uploader)));
  expect(await exhibit("store", "add", "guide", store)).toMatchObject({ code: 0 });
  const checked = await exhibit("store", "check", "guide", "--json");
  expect(checked).toMatchObject({ code: 0 });
  const what = ["--one-exhibit", "--case", "WAYS/2", "--ref", "ABC/1", "--part-size", "5M"];
  const locks = ["--retain-until", new Date(Date.now() + 9 * 86_400_000).toISOString()];
  const there = ["--store", "guide", "--json"];
  const uploaded = await exhibit(
    "upload",
    large,
    small,
    ...what,
    ...locks,
    "--legal-hold",
    ...there,
  );
  expect(uploaded).toMatchObject({ code: 0, err: "" });
  expect(await exhibit("verify", "WAYS/2:ABC/1", ...there)).toMatchObject({ code: 0 });
  expect(await exhibit("uploads", "list", ...there)).toMatchObject({ code: 0 });
  const removed = await ask(uploader, "DELETE", "/evidence/police/WAYS_2/ABC_1/ABC_1-0001.mp4");
  expect(removed.status).toBe(403);
  const left = await succeed(user, "GET", "/evidence", { query: "versions=" });
  expect(left).not.toMatch(/<Key>police\/\.(uploads|exhibit-check)/);
});
