import { createHash } from "node:crypto";
import { sha256Of } from "../../evidence/digest.ts";
import { ExhibitError, hasCode } from "../../evidence/errors.ts";
import type { Clock } from "../../evidence/ports/clock.ts";
import type { DirectParts } from "../../evidence/ports/direct-parts.ts";
import type { PartMemory, RememberedPart } from "../../evidence/ports/part-memory.ts";
import type {
  Capabilities,
  Store,
  Stored,
  StoredPart,
  Upload,
} from "../../evidence/ports/store.ts";
import type { S3Bucket } from "./bucket.ts";
import { directParts } from "./direct-parts.ts";
import type { Enforced } from "./enforced.ts";
import { findNote, uploadOf } from "./notes.ts";
import { headOf, objectOf, tried, withdraw } from "./objects.ts";
import { OpenUploads } from "./open-uploads.ts";
import { s3Store } from "./store.ts";
import { S3Uploads } from "./uploads.ts";

const mib = 1024 * 1024;

/** A server receives each part whole, in its memory. */
const longestPartBytes = 128 * mib;

/**
 * A bucket as an exhibit server's content: all of it is proved whole. A file in one piece is so by an engine that compares
 * digests; whatever else is stored is read back. The server alone writes below the store's prefix: what turns out to
 * be other bytes than its sender said is taken away again.
 */
export function s3ServerContent(
  bucket: S3Bucket,
  enforced: Enforced,
  clock: Clock,
  memory: PartMemory,
): Store & DirectParts {
  const inBucket = s3Store(bucket, enforced, clock);
  const store = tried(bucket, enforced);
  const open = new OpenUploads(store, memory);
  const uploads = new S3Uploads(store, clock, open);

  return {
    ...inBucket,
    ...directParts(store, open, clock),
    capabilities: capabilities(inBucket.capabilities),
    async put(key, bytes, sha256, signal) {
      if (!enforced.payloadHash) requireDigest(bytes, sha256);
      const stored = await inBucket.put(key, bytes, sha256, signal);
      if (!enforced.payloadHash) await readBack(stored, signal);
      return { ...stored, proof: "whole" };
    },
    async begin(key, sizeBytes, partBytes, signal) {
      try {
        return await uploads.begin(key, sizeBytes, partBytes, signal);
      } catch (error) {
        const found = hasCode(error, "conflict.exists")
          ? await findNote(store, { key, sizeBytes }, signal)
          : undefined;
        const upload = found === undefined ? undefined : uploadOf(found.note);
        if (upload === undefined || !(await isPutTogether(upload, signal))) throw error;
        return upload;
      }
    },
    async putPart(upload, part, signal) {
      if (!enforced.payloadHash) requireDigest(part.bytes, part.sha256);
      await uploads.putPart(upload, part, signal);
    },
    async listParts(upload, signal) {
      try {
        return await uploads.listParts(upload, signal);
      } catch (error) {
        if (!hasCode(error, "not-found.upload") || !(await isPutTogether(upload, signal)))
          throw error;
        return partsOf(upload, await memory.recall(upload.id));
      }
    },
    async complete(upload, { sha256 }, signal, onProved) {
      const { key, sizeBytes } = upload;
      const wanted = { key, sizeBytes, sha256 };
      try {
        const stored = await uploads.complete(upload, sha256, signal, () =>
          readBack(wanted, signal, onProved),
        );
        return { ...stored, proof: "whole" };
      } catch (error) {
        if (hasCode(error, "integrity.mismatch")) await takeAway(upload, signal);
        throw error;
      }
    },
    abort: (upload, signal) => uploads.abort(upload, signal),
  };

  /** Its bytes lie under its key already, but are not proved yet. */
  async function isPutTogether(upload: Upload, signal: AbortSignal): Promise<boolean> {
    const head = await headOf(store, objectOf(store, upload.key), signal);
    return head?.token === upload.id;
  }

  /** @throws ExhibitError `integrity.mismatch` */
  async function readBack(
    { key, sizeBytes, sha256 }: Pick<Stored, "key" | "sizeBytes" | "sha256">,
    signal: AbortSignal,
    onProved?: (provedBytes: number) => void,
  ): Promise<void> {
    const hash = createHash("sha256");
    let provedBytes = 0;
    for await (const bytes of await inBucket.open(key, undefined, signal)) {
      hash.update(bytes as Buffer);
      provedBytes += (bytes as Buffer).byteLength;
      onProved?.(provedBytes);
    }
    if (provedBytes !== sizeBytes || hash.digest("hex") !== sha256) throw otherBytes();
  }

  /** Where the keys do not permit that, it stays, unproved: the server never shows it. */
  async function takeAway(upload: Upload, signal: AbortSignal): Promise<void> {
    if (!(await isPutTogether(upload, signal))) return;
    try {
      await withdraw(store, objectOf(store, upload.key), upload.id, signal);
    } catch (error) {
      if (hasCode(error, "policy.not-permitted")) return;
      throw error;
    }
    await uploads.abort(upload, signal);
  }
}

function partsOf({ partBytes }: Upload, parts: readonly RememberedPart[]): StoredPart[] {
  return parts
    .map(({ number, sizeBytes, sha256 }) => ({
      offset: (number - 1) * partBytes,
      length: sizeBytes,
      digest: { algorithm: "sha256", hex: sha256 } as const,
    }))
    .sort((a, b) => a.offset - b.offset);
}

function capabilities(inBucket: Capabilities): Capabilities {
  return {
    ...inBucket,
    parts: { ...inBucket.parts, maxBytes: longestPartBytes },
    maxPutBytes: longestPartBytes,
    maxObjectBytes: longestPartBytes * inBucket.parts.maxParts,
    proof: "whole",
  };
}

function requireDigest(bytes: Uint8Array, sha256: string): void {
  if (sha256Of(bytes) === sha256) return;
  throw new ExhibitError("integrity.mismatch", "These are other bytes than were announced.", {
    hint: "They were changed on their way. Send them again.",
  });
}

function otherBytes(): ExhibitError {
  return new ExhibitError(
    "integrity.mismatch",
    "What has arrived does not have the digest that its sender gave.",
    { hint: "Nothing counts as received. Run the same upload command again." },
  );
}
