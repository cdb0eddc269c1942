import { afterAll, beforeAll, expect, it } from "@jest/globals";
import { sha256Of } from "../../src/evidence/digest.ts";
import { unchecked } from "../../src/stores/s3/enforced.ts";
import { s3Store } from "../../src/stores/s3/store.ts";
import { startAnsweringProxy, type AnsweringProxy } from "../support/answering-proxy.ts";
import { withBucket } from "../support/opened-bucket.ts";
import { systemClock } from "../support/server.ts";

const { signal } = new AbortController();
const key = "A/ABC_1/ABC_1-0001.bin";
const bytes = Buffer.from("hello");
const md5 = "5d41402abc4b2a76b9719d911017c592";
const crc = "M3eFcAZSQlc=";
/** As AWS answers, by its documentation: neither engine that the tests boot keeps checksums. */
const told = {
  etag: `"${md5}"`,
  "x-amz-version-id": "3HL4kqtJvjVBH40Nrjfkd",
  "x-amz-checksum-crc64nvme": crc,
  "x-amz-checksum-type": "FULL_OBJECT",
};

let engine: AnsweringProxy;
beforeAll(async () => {
  engine = await startAnsweringProxy();
});
afterAll(() => engine.close());

it.each([
  ["with a checksum that is enforced", told, ["crc64nvme"], { crc64nvme: crc }],
  ["with one that was not seen to be compared", told, ["sha256"], undefined],
  ["with one that nobody asked for", told, [], undefined],
  ["without versions", { ...told, "x-amz-version-id": "null" }, ["crc64nvme"], { crc64nvme: crc }],
  ["with an ETag that is no MD5", { ...told, etag: '"0123456789abcdef0123456789abcdef"' }, [], {}],
])("what an engine keeps: %s", async (_, headers, checksums, found) => {
  engine.rules = [
    { on: /^HEAD/, deed: { answer: 200, headers: { ...headers, "content-length": bytes.length } } },
    { on: /^PUT/, deed: { answer: 200, headers } },
  ];
  const from = engine.requests.length;
  const user = { url: engine.url, accessKeyId: "key", secretAccessKey: "secret" };
  await withBucket(user, "bucket", async (bucket) => {
    const enforced = { ...unchecked, noOverwritePut: true, payloadHash: true, checksums };
    const store = s3Store(bucket, enforced, systemClock);
    const etag = headers.etag.replaceAll('"', "");
    const kept = {
      etag,
      ...(headers["x-amz-version-id"] === "null" ? {} : { version: headers["x-amz-version-id"] }),
      ...(found === undefined || checksums.length === 0 ? {} : { checksums: found }),
    };
    const etagIs = etag === md5 ? "md5" : "opaque";
    const stored = await store.put(key, bytes, sha256Of(bytes), signal);
    expect(stored.kept).toEqual({ ...kept, etagIs, noOverwrite: "if-none-match" });
    expect(await store.stat(key, signal)).toEqual({ key, sizeBytes: bytes.length, kept });
  });
  const head = engine.requests.slice(from).find(({ line }) => line.startsWith("HEAD"));
  expect(head?.headers["x-amz-checksum-mode"]).toBe(checksums.length > 0 ? "ENABLED" : undefined);
});
