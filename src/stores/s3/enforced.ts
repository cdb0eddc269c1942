import { z } from "zod";
import { outcomes } from "../../evidence/ports/store-probe.ts";
const o = z.enum(outcomes);
export const enforcedSchema = z.strictObject({
  checkedAt: z.iso.datetime(),
  payloadHash: z.boolean(),
  contentMd5: z.boolean(),
  checksums: z.array(z.string()),
  noOverwritePut: z.boolean(),
  noOverwriteComplete: z.boolean(),
  noOverwriteWhenVersioned: z.boolean(),
  listParts: z.boolean(),
  versioning: z.enum(["enabled", "suspended", "off", "unsupported"]),
  objectLock: z.enum(["enabled", "off", "ignored"]),
  retentionBy: z.enum(["headers", "bucket-default", "put-retention", "none"]),
  legalHold: z.boolean(),
  sse: z.strictObject({ s3: o, kms: o, customer: o }),
  completeEtag: z.boolean(),
  earlyRefusal: z.boolean(),
});
export type Enforced = z.infer<typeof enforcedSchema>;
export function proofOf(e: Enforced): "parts" | "transport" | "size" {
  return e.payloadHash ? "parts" : e.contentMd5 ? "transport" : "size";
}
