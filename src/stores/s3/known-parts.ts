import { createHash } from "node:crypto";
import { ExhibitError } from "../../evidence/errors.ts";
import type { Part, StoredPart, Upload } from "../../evidence/ports/store.ts";
import { lengthOf } from "./capabilities.ts";
import type { Kept } from "../../evidence/kept.ts";
import { noOverwrite } from "./kept.ts";
import type { Enforced } from "./enforced.ts";
import type { HeldPart } from "./multipart.ts";
import { taken, type Head } from "./objects.ts";

/** A part that this process has sent, or knows to be there. */
export interface KnownPart {
  readonly etag: string;
  readonly sizeBytes: number;
  /** Known of those that this process has sent, or has given an address for. */
  readonly sha256: string | undefined;
}

/** An upload as this process works on it. */
export interface OpenUpload {
  readonly uploadId: string;
  readonly etagsAreMd5: boolean;
  /** By number. */
  readonly parts: Map<number, KnownPart>;
  /** SHA-256 of parts that others were given an address for, by number: the engine takes nothing else there. */
  readonly announced: Map<number, string>;
  /** Numbers of parts that the engine has, and of which nothing is known that could be compared. */
  readonly unknown: Set<number>;
}

/** What is known of a part that an engine lists; undefined where that is nothing which could be compared. */
export function storedPart(
  upload: Upload,
  { number, sizeBytes, etag }: HeldPart,
  { etagsAreMd5, announced }: OpenUpload,
  before: KnownPart | undefined,
): { readonly stored: StoredPart; readonly known: KnownPart } | undefined {
  // One that is cut otherwise is no part of ours: it is sent again, over it.
  if (sizeBytes !== lengthOf(upload, number)) return undefined;
  const place = { offset: (number - 1) * upload.partBytes, length: sizeBytes };
  if (before?.sha256 !== undefined && before.etag === etag) {
    return {
      stored: { ...place, digest: { algorithm: "sha256", hex: before.sha256 } },
      known: before,
    };
  }
  const sha256 = announced.get(number);
  if (sha256 !== undefined) {
    const stored = { ...place, digest: { algorithm: "sha256", hex: sha256 } as const };
    return { stored, known: { etag, sizeBytes, sha256 } };
  }
  if (!etagsAreMd5 || !/^[0-9a-f]{32}$/.test(etag)) return undefined;
  const known = { etag, sizeBytes, sha256: undefined };
  return { stored: { ...place, digest: { algorithm: "md5", hex: etag } }, known };
}

/** @throws ExhibitError `conflict.part-differs` */
export function requireSame({ etag, sha256 }: KnownPart, part: Part): void {
  const isSame =
    sha256 === undefined
      ? createHash("md5").update(part.bytes).digest("hex") === etag
      : sha256 === part.sha256;
  if (!isSame) throw partDiffers(part.offset);
}

export function partDiffers(offset: number): ExhibitError {
  return new ExhibitError(
    "conflict.part-differs",
    "The store already holds other bytes for a part of this upload.",
    {
      hint: "The file was changed after its upload began, or is being sent twice. Abort that upload, then send the file again.",
      facts: { offset },
    },
  );
}

/** What engines that make an ETag of MD5s make of those of the parts. */
export function etagOf(etags: readonly string[]): string {
  const md5s = Buffer.from(etags.join(""), "hex");
  return `${createHash("md5").update(md5s).digest("hex")}-${etags.length}`;
}

/** What is kept of an object that was put together of parts. What its ETag is stays open where the parts' are not known any more. */
export function keptOfParts(
  { etag, kept }: Head,
  open: Pick<OpenUpload, "etagsAreMd5"> | undefined,
  etags: readonly string[] | undefined,
  enforced: Enforced,
): Kept {
  const isOfMd5s = open?.etagsAreMd5 === true && etags !== undefined && etag === etagOf(etags);
  const etagIs = isOfMd5s ? "md5-of-md5s" : "opaque";
  return {
    ...kept,
    ...(etag === "" || etags === undefined ? {} : { etagIs }),
    noOverwrite: noOverwrite(enforced, "complete"),
  };
}

export function notAsSent({ sizeBytes }: Upload, head: Head | undefined): ExhibitError {
  if (head?.sizeBytes === sizeBytes) return taken();
  return new ExhibitError("integrity.mismatch", "The store holds something else than was sent.", {
    hint: "Nothing counts as received. Tell whoever administers the store.",
    facts: { sizeBytes, foundBytes: head?.sizeBytes ?? 0 },
  });
}
