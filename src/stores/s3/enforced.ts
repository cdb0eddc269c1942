import { z } from "zod";
import { outcomes } from "../../evidence/ports/store-probe.ts";
import type { Proof } from "../../evidence/proof.ts";

const outcomeSchema = z.enum(outcomes);

/**
 * What a check found a bucket to enforce: what a transfer may rely on. Only what was seen is true; what was refused, denied or
 * not tried is not.
 */
export const enforcedSchema = z.strictObject({
  checkedAt: z.iso.datetime(),
  /** A body that does not have the SHA-256 it was signed with is refused, as an object and as a part. */
  payloadHash: z.boolean(),
  /** Likewise for `Content-MD5`. */
  contentMd5: z.boolean(),
  /** The `x-amz-checksum-*` that are compared with the body: `crc32`, `sha256` and so on. */
  checksums: z.array(z.string()),
  /** An address that is signed for one part takes no other bytes and no other length, from whoever has it. */
  presignedDigest: z.boolean(),
  /** `If-None-Match: *` holds on a PUT, also when several write at once. */
  noOverwritePut: z.boolean(),
  /** Likewise on completing an upload. */
  noOverwriteComplete: z.boolean(),
  /** `noOverwritePut`, and the bucket keeps versions. */
  noOverwriteWhenVersioned: z.boolean(),
  listParts: z.boolean(),
  versioning: z.enum(["enabled", "suspended", "off", "unsupported"]),
  /** `ignored`: a lock is accepted and nothing is locked. */
  objectLock: z.enum(["enabled", "off", "ignored"]),
  /** How to retain an upload in parts so that it holds. `put-retention` only where `objectLock` is `enabled`. */
  retentionBy: z.enum(["headers", "bucket-default", "put-retention", "none"]),
  legalHold: z.boolean(),
  /** Encryption with the store's key, a key service's, and one that we bring along. */
  sse: z.strictObject({ s3: outcomeSchema, kms: outcomeSchema, customer: outcomeSchema }),
  /** Completing an upload answers with an ETag. */
  completeEtag: z.boolean(),
  /** A refusal in the middle of a body arrives. */
  earlyRefusal: z.boolean(),
});
export type Enforced = z.infer<typeof enforcedSchema>;

/** The proof that each upload reaches there. */
export function proofOf({ payloadHash, contentMd5 }: Enforced): Proof {
  return payloadHash ? "parts" : contentMd5 ? "transport" : "size";
}

/** What is believed of a bucket that was not tried out: nothing. */
export const unchecked: Enforced = {
  checkedAt: new Date(0).toISOString(),
  payloadHash: false,
  contentMd5: false,
  checksums: [],
  presignedDigest: false,
  noOverwritePut: false,
  noOverwriteComplete: false,
  noOverwriteWhenVersioned: false,
  listParts: true,
  versioning: "unsupported",
  objectLock: "off",
  retentionBy: "none",
  legalHold: false,
  sse: { s3: "untested", kms: "untested", customer: "untested" },
  completeEtag: false,
  earlyRefusal: false,
};
