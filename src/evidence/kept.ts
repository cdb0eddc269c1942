import { z } from "zod";

/**
 * What a store itself keeps of an object, as it said when the object was written; what it does not keep is left out. The digests are
 * the store's own and no evidence: they tell whether an object is still the very one that was proved.
 */
export const keptSchema = z.strictObject({
  /** The version's id, where the store keeps versions: S3's version id, Box's file version id. */
  version: z.string().min(1).optional(),
  /** Without quotation marks. */
  etag: z.string().min(1).optional(),
  /** What the ETag was seen to be: the MD5 of the bytes, the MD5 of the parts' MD5s, or neither. Left out where it was not seen. */
  etagIs: z.enum(["md5", "md5-of-md5s", "opaque"]).optional(),
  /** Other digests by their algorithm (`sha1`, `crc64nvme`), written as the store writes them. */
  checksums: z.record(z.string().min(1), z.string().min(1)).optional(),
  /** How overwriting was refused: by the store, by condition or because no two things of a folder have one name there, or by looking whether nothing was there before, and whether nothing was put in between. */
  noOverwrite: z.enum(["if-none-match", "looked-before-and-after", "unique-name"]).optional(),
});
export type Kept = z.infer<typeof keptSchema>;

/** What a check found a store itself to enforce, in stable words such as `payload-hash`, and when that was. */
export const storeCheckSchema = z.strictObject({
  checkedAt: z.iso.datetime(),
  enforces: z.array(z.string().min(1)),
});
export type StoreCheck = z.infer<typeof storeCheckSchema>;

/**
 * In what an object is another one than was written, by what its store keeps of it; empty when it is the same. Undefined where the two
 * have no digest in common: then only its bytes can tell.
 */
export function keptDiffers(before: Kept, now: Kept): readonly string[] | undefined {
  const algorithms = Object.keys(before.checksums ?? {});
  const digests = [
    ["ETag", before.etag, now.etag] as const,
    ...algorithms.map((name) => [name, before.checksums?.[name], now.checksums?.[name]] as const),
  ].filter(([, was, is]) => was !== undefined && is !== undefined);
  if (digests.length === 0) return undefined;
  return [["version", before.version, now.version] as const, ...digests].flatMap(
    ([name, was, is]) =>
      was === is ? [] : [`${name} ${is ?? "none"} instead of ${was ?? "none"}`],
  );
}
