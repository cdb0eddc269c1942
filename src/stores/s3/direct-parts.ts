import type { Clock } from "../../evidence/ports/clock.ts";
import type { DirectParts, PartAddress } from "../../evidence/ports/direct-parts.ts";
import type { HashedPart, Upload } from "../../evidence/ports/store.ts";
import type { S3Bucket } from "./bucket.ts";
import { partNumberOf } from "./capabilities.ts";
import type { Enforced } from "./enforced.ts";
import { partDiffers } from "./known-parts.ts";
import { objectOf, type Tried } from "./objects.ts";
import type { OpenUploads } from "./open-uploads.ts";

/** As long as a part on its way may wait for its turn; the request may last longer. */
const lifeSeconds = 15 * 60;

/**
 * Whether others may send parts straight to the bucket: the engine must keep them to the bytes that they were given an address for,
 * and must not need a key of ours to encrypt them with.
 */
export function takesDirectParts(
  { customerKey }: Pick<S3Bucket, "customerKey">,
  enforced: Enforced,
): boolean {
  return enforced.payloadHash && enforced.presignedDigest && customerKey === undefined;
}

/** Signs addresses for the parts of a bucket's uploads. */
export function directParts(store: Tried, uploads: OpenUploads, clock: Clock): DirectParts {
  return {
    async addressOf(upload, part, signal) {
      const number = partNumberOf(upload, part);
      if (!(await isSure(upload, number, part, signal))) return undefined;
      const { length: sizeBytes, sha256 } = part;
      await uploads.announce(upload, number, { sizeBytes, sha256 }, signal);
      return signed(upload, number, part, signal);
    },
  };

  /** Whether nothing else lies, or may lie, where the part would go. */
  async function isSure(
    upload: Upload,
    number: number,
    { offset, sha256 }: HashedPart,
    signal: AbortSignal,
  ): Promise<boolean> {
    const open = await uploads.of(upload, signal);
    const announced = open.announced.get(number);
    if (announced !== undefined && announced !== sha256) await uploads.list(upload, signal);
    const known = open.parts.get(number);
    if (known === undefined) return !open.unknown.has(number);
    if (known.sha256 !== undefined && known.sha256 !== sha256) throw partDiffers(offset);
    return known.sha256 !== undefined;
  }

  async function signed(
    upload: Upload,
    number: number,
    { length: sizeBytes, sha256 }: HashedPart,
    signal: AbortSignal,
  ): Promise<PartAddress> {
    const { uploadId } = await uploads.of(upload, signal);
    const query = { partNumber: String(number), uploadId };
    const key = objectOf(store, upload.key);
    const address = await store.bucket.presignPut({ key, query, sizeBytes, sha256 }, lifeSeconds);
    const expiresAt = new Date(clock.now().getTime() + lifeSeconds * 1000).toISOString();
    return { method: "PUT", ...address, expiresAt };
  }
}
