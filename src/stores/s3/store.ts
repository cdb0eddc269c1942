import { hasCode } from "../../evidence/errors.ts";
import { keySchema } from "../../evidence/key.ts";
import type { Clock } from "../../evidence/ports/clock.ts";
import type { KeyStat, Store, Stored, Told } from "../../evidence/ports/store.ts";
import { s3AddressText } from "../../evidence/s3-address.ts";
import type { S3Bucket } from "./bucket.ts";
import { s3Capabilities } from "./capabilities.ts";
import { proofOf, type Enforced } from "./enforced.ts";
import { listObjects } from "./listing.ts";
import {
  headOf,
  isFirst,
  keptOfPut,
  objectOf,
  putOnce,
  tried,
  type Head,
  type Tried,
} from "./objects.ts";
import { hashOf, readObject } from "./reading.ts";
import { Retaining } from "./retaining.ts";
import { unfinishedUploads } from "./unfinished.ts";
import { S3Uploads } from "./uploads.ts";

/**
 * A store in an S3 bucket: each key is an object below the store's prefix, and the notes of unfinished uploads lie in `.uploads/`
 * beside them. Of what engines promise, only that is relied on which `enforced` says was seen. Several processes may use
 * one bucket at once.
 */
export function s3Store(bucket: S3Bucket, enforced: Enforced, clock: Clock): Store {
  const store = tried(bucket, enforced);
  const uploads = new S3Uploads(store, clock);
  const retaining = new Retaining(store);
  return {
    url: s3AddressText(bucket.address),
    capabilities: s3Capabilities(enforced),
    put: (key, bytes, sha256, signal) => put(store, key, bytes, sha256, signal),
    begin: (key, sizeBytes, partBytes, signal) => uploads.begin(key, sizeBytes, partBytes, signal),
    putPart: (upload, part, signal) => uploads.putPart(upload, part, signal),
    listParts: (upload, signal) => uploads.listParts(upload, signal),
    complete: (upload, { sha256 }, signal) => uploads.complete(upload, sha256, signal),
    retain: (key, asked, signal) => retaining.retain(key, asked, signal),
    abort: (upload, signal) => uploads.abort(upload, signal),
    uploads: (signal) => unfinishedUploads(store, signal),
    stat: (key, signal) => stat(store, key, signal),
    list: (prefix, signal) => list(store, prefix, signal),
    open: (key, range, signal) => readObject(store, key, range, signal),
  };
}

async function put(
  store: Tried,
  key: string,
  bytes: Uint8Array,
  sha256: string,
  signal: AbortSignal,
): Promise<Stored> {
  const object = objectOf(store, key);
  const stored = { key, sizeBytes: bytes.byteLength, sha256, proof: proofOf(store.enforced) };
  try {
    return { ...stored, kept: await putOnce(store, object, bytes, sha256, signal) };
  } catch (error) {
    if (!hasCode(error, "conflict.exists")) throw error;
    const head = await sameThere(store, stored, signal);
    if (head === undefined) throw error;
    return { ...stored, kept: keptOfPut(store, head.kept, bytes) };
  }
}

async function stat(store: Tried, key: string, signal: AbortSignal): Promise<Told | undefined> {
  const head = await headOf(store, objectOf(store, key), signal);
  return head === undefined ? undefined : { key, sizeBytes: head.sizeBytes, kept: head.kept };
}

/**
 * What lies under a key, if it is the very same content, and lies over no other. Read again: what was written down with it may
 * have been copied from elsewhere.
 */
async function sameThere(
  store: Tried,
  { key, sizeBytes, sha256 }: Stored,
  signal: AbortSignal,
): Promise<Head | undefined> {
  const object = objectOf(store, key);
  const head = await headOf(store, object, signal);
  if (head?.sizeBytes !== sizeBytes) return undefined;
  const { version } = head.kept;
  if (version !== undefined && !(await isFirst(store, object, version, signal))) return undefined;
  return (await hashOf(store, key, signal)) === sha256 ? head : undefined;
}

async function* list(store: Tried, prefix: string, signal: AbortSignal): AsyncGenerator<KeyStat> {
  const { bucket, root } = store;
  for await (const { object, sizeBytes } of listObjects(bucket, `${root}${prefix}`, signal)) {
    const key = object.slice(root.length);
    if (keySchema.safeParse(key).success) yield { key, sizeBytes };
  }
}
