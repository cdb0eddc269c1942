import { createHash } from "node:crypto";
import { ExhibitError } from "../../evidence/errors.ts";
import type { Kept } from "../../evidence/kept.ts";
import { keySchema } from "../../evidence/key.ts";
import { randomId } from "../../evidence/random-id.ts";
import type { S3Answer, S3Bucket, S3Request } from "./bucket.ts";
import { refusesOverwrite } from "./capabilities.ts";
import { proofOf, type Enforced } from "./enforced.ts";
import { readHeaders, writeHeaders } from "./encryption.ts";
import { failureOf } from "./failures.ts";
import { askingChecksums, keptIn, noOverwrite, PutEtags, versionIn } from "./kept.ts";
import { notDeleted, versionsOf } from "./versions.ts";

/** Metadata of what we write: who wrote it, in one token; and its SHA-256, where it was known when it was written. */
export const tokenHeader = "x-amz-meta-exhibit-upload";
export const sha256Header = "x-amz-meta-exhibit-sha256";

/** A bucket, and what it is known to do. */
export interface Tried {
  readonly bucket: S3Bucket;
  readonly enforced: Enforced;
  /** What keys begin with: "" or with a slash at its end. */
  readonly root: string;
  readonly etags: PutEtags;
}

export function tried(bucket: S3Bucket, enforced: Enforced): Tried {
  const { prefix } = bucket.address;
  return { bucket, enforced, root: prefix === "" ? "" : `${prefix}/`, etags: new PutEtags() };
}

/** What lies under a key. */
export interface Head {
  readonly sizeBytes: number;
  readonly etag: string;
  readonly token: string | undefined;
  readonly kept: Kept;
}

/** Where a key lies in the bucket. @throws ExhibitError `usage.invalid` for anything that is not a key of ours */
export function objectOf({ root }: Tried, key: string): string {
  if (keySchema.safeParse(key).success) return `${root}${key}`;
  throw new ExhibitError("usage.invalid", "This is not a key of this product.", {
    hint: "A key is <case>/<reference>/<name>, as exhibit writes them.",
  });
}

/** One request that must succeed. @throws ExhibitError as `failureOf` */
export async function succeed(
  bucket: S3Bucket,
  request: S3Request,
  signal: AbortSignal,
): Promise<S3Answer> {
  const answer = await bucket.send(request, signal);
  if (answer.status >= 300) throw failureOf(answer);
  return answer;
}

/** What lies at an object's place; undefined where nothing does. */
export async function headOf(
  { bucket, enforced }: Tried,
  object: string,
  signal: AbortSignal,
): Promise<Head | undefined> {
  const asked = { ...readHeaders(bucket), ...askingChecksums(enforced) };
  const answer = await bucket.send({ method: "HEAD", key: object, headers: asked }, signal);
  if (answer.status === 404) return undefined;
  if (answer.status >= 300) throw failureOf(answer);
  const { headers } = answer;
  const kept = keptIn(headers, enforced);
  return {
    sizeBytes: Number(headers["content-length"]),
    etag: kept.etag ?? "",
    token: headers[tokenHeader],
    kept,
  };
}

/**
 * Writes an object where nothing lies yet: the engine refuses to overwrite where it was seen to do so; elsewhere it is
 * looked before and afterwards, and of two that were written at the same time the first stays. Gives what the engine keeps of it.
 *
 * @throws ExhibitError `conflict.exists`, `integrity.mismatch`, and as `failureOf`
 */
export async function putOnce(
  store: Tried,
  object: string,
  bytes: Uint8Array,
  sha256: string,
  signal: AbortSignal,
): Promise<Kept> {
  const { bucket, enforced } = store;
  const isRefused = refusesOverwrite(enforced);
  const token = randomId("p");
  if (!isRefused && (await headOf(store, object, signal)) !== undefined) throw taken();
  const { headers } = await succeed(
    bucket,
    {
      method: "PUT",
      key: object,
      body: bytes,
      sha256,
      headers: {
        ...writeHeaders(bucket),
        ...bodyHeaders(enforced, bytes),
        [tokenHeader]: token,
        [sha256Header]: sha256,
        ...(isRefused ? { "if-none-match": "*" } : {}),
      },
    },
    signal,
  );
  // An engine that ignores the wish in buckets with versions does so, too, when they were turned on behind its check.
  const hasNewVersions = enforced.versioning === "off" && versionIn(headers) !== undefined;
  if (!isRefused || hasNewVersions) {
    await requireFirst(store, object, token, versionIn(headers), signal);
  }
  return keptOfPut(store, keptIn(headers, enforced), bytes);
}

/** What is kept of an object that was put in one request, once its bytes are known to be these. */
export function keptOfPut({ enforced, etags }: Tried, kept: Kept, bytes: Uint8Array): Kept {
  const { etag } = kept;
  return {
    ...kept,
    ...(etag === undefined ? {} : { etagIs: etags.kindOf(etag, bytes) }),
    noOverwrite: noOverwrite(enforced, "put"),
  };
}

/**
 * Makes sure that what was just written lies over nothing. What was written in vain is taken away again, where the bucket
 * permits it.
 *
 * @throws ExhibitError `conflict.exists`
 */
export async function requireFirst(
  store: Tried,
  object: string,
  token: string,
  version: string | undefined,
  signal: AbortSignal,
): Promise<void> {
  const head = version === undefined ? await headOf(store, object, signal) : undefined;
  if (version === undefined && head?.token !== token) throw taken();
  // There are engines that tell the version of what they put together only afterwards.
  const id = version ?? head?.kept.version;
  if (id === undefined) return;
  if (await isFirst(store, object, id, signal)) return;
  const request = { method: "DELETE", key: object, query: { versionId: id } } as const;
  const { status } = await store.bucket.send(request, signal);
  throw status < 300 ? taken() : coveredBy(id);
}

/** Whether a version of an object lies over no other, or over deleted ones only. */
export async function isFirst(
  { bucket }: Tried,
  object: string,
  version: string,
  signal: AbortSignal,
): Promise<boolean> {
  return notDeleted(await versionsOf(bucket, object, signal)).at(-1)?.id === version;
}

/**
 * Takes away what a certain upload has put under a key, and nothing else: where versions are kept, that very version; where it is
 * locked, it is hidden.
 *
 * @throws ExhibitError as `failureOf`
 */
export async function withdraw(
  store: Tried,
  object: string,
  token: string,
  signal: AbortSignal,
): Promise<void> {
  const { bucket } = store;
  const answer = await succeed(
    bucket,
    { method: "HEAD", key: object, headers: readHeaders(bucket) },
    signal,
  );
  if (answer.headers[tokenHeader] !== token) return;
  const versionId = answer.headers["x-amz-version-id"];
  if (versionId !== undefined && versionId !== "null") {
    const request = { method: "DELETE", key: object, query: { versionId } } as const;
    if ((await bucket.send(request, signal)).status < 300) return;
  }
  await succeed(bucket, { method: "DELETE", key: object }, signal);
}

/** What goes with a body whose signed digest the engine does not compare. */
export function bodyHeaders(
  enforced: Enforced,
  bytes: Uint8Array,
): Readonly<Record<string, string>> {
  if (proofOf(enforced) !== "transport") return {};
  return { "content-md5": createHash("md5").update(bytes).digest("base64") };
}

/** What was there first is safe below what was written over it in vain, which cannot be taken away. */
function coveredBy(version: string): ExhibitError {
  return new ExhibitError(
    "conflict.exists",
    `Something else was written under this key at the same moment. This upload's version ${version} lies over it and may not be removed.`,
    {
      hint: "Have the bucket's administrator remove that version, then use another reference.",
      facts: { version },
    },
  );
}

export function taken(): ExhibitError {
  return new ExhibitError("conflict.exists", "Something else lies under this key already.", {
    hint: "It is never overwritten. Use another reference.",
  });
}
