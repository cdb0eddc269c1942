import { z } from "zod";
import { exhibitIdSchema } from "./address.ts";
import { referenceSchema } from "./reference.ts";
import { retentionSchema } from "./retention.ts";
import { accessSchema, recipientSchema } from "./share.ts";

const instant = z.iso.datetime();
const bytes = z.number().int().nonnegative();

/** An upload into an exhibit that is neither finished nor given up. */
const caseUploadSchema = z.strictObject({
  id: z.string(),
  sizeBytes: bytes,
  startedAt: instant,
  /** When the store forgets it, where it ever does. */
  expiresAt: instant.optional(),
});

/** An exhibit as one line of a case. */
export const caseExhibitSchema = z.strictObject({
  id: exhibitIdSchema,
  reference: referenceSchema,
  state: z.enum(["open", "sealed"]),
  title: z.string().optional(),
  /** Who sent it, where the store knows: the id of an identity and its organisation. */
  from: z.strictObject({ id: z.string(), organisation: z.string().optional() }),
  reservedAt: instant,
  sealedAt: instant.optional(),
  files: z.number().int().nonnegative(),
  sizeBytes: bytes,
  /** How its uploader asked for it to be kept. */
  retention: retentionSchema.optional(),
  /** Of an open one. */
  uploads: z.array(caseUploadSchema).optional(),
});
export type CaseExhibit = z.infer<typeof caseExhibitSchema>;

/** A share of exhibits of a case, and whether its recipient has looked. */
export const caseShareSchema = z.strictObject({
  id: z.string(),
  recipient: recipientSchema,
  access: accessSchema,
  createdAt: instant,
  expiresAt: instant,
  state: z.enum(["open", "expired", "revoked", "unfinished"]),
  /** Those of this case, without what was cut out of it. */
  exhibits: z.array(referenceSchema),
  /** Absent while the recipient has never given the code. */
  looked: z
    .strictObject({
      first: instant,
      last: instant,
      /** How often the code was given. */
      times: z.number().int().positive(),
    })
    .optional(),
});
export type CaseShare = z.infer<typeof caseShareSchema>;
