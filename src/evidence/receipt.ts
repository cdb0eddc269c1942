import { z } from "zod";
import { heldCaseSchema } from "./case.ts";
import { digestSchema, sha256Hex } from "./digest.ts";
import { exhibitIdSchema } from "./address.ts";
import { keptSchema, storeCheckSchema } from "./kept.ts";
import { keySchema } from "./key.ts";
import { proofSchema } from "./proof.ts";
import { publicJwkSchema } from "./seal.ts";
import { referenceSchema } from "./reference.ts";

export const receiptType = "exhibit.receipt/1";

/** The signed statement of what a store holds, and how each file was proved. It never claims more than was checked. */
export const receiptSchema = z.strictObject({
  schema: z.literal(receiptType),
  id: exhibitIdSchema,
  case: heldCaseSchema,
  reference: referenceSchema,
  receivedAt: z.iso.datetime(),
  /** The SHA-256 of the sealed record exactly as it lies in the store (`record.json`). */
  record: digestSchema,
  files: z
    .array(
      z.strictObject({
        key: keySchema,
        sizeBytes: z.number().int().nonnegative(),
        digest: digestSchema,
        proof: proofSchema,
        /** Where the store keeps a digest or a version of its own. */
        kept: keptSchema.optional(),
      }),
    )
    .min(1),
  /** Who signs: the exhibit server, or the uploading machine where the store is not an exhibit server. */
  issuer: z.strictObject({
    kind: z.enum(["server", "machine"]),
    store: z.string(),
    key: publicJwkSchema,
    thumbprint: z.string(),
  }),
  /** What the store was found to enforce: what the proofs rest on. Where it was tried out. */
  storeCheck: storeCheckSchema.optional(),
  /** Digest of the custody log's last line when this was written. */
  custody: z.strictObject({ lines: z.number().int().positive(), head: sha256Hex }),
});
export type Receipt = z.infer<typeof receiptSchema>;
