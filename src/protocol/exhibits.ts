import { z } from "zod";
import { caseSchema, heldCaseSchema } from "../evidence/case.ts";
import { exhibitIdSchema } from "../evidence/address.ts";
import { initialsSchema, referenceSchema } from "../evidence/reference.ts";
import { sealedSchema } from "../evidence/seal.ts";

/**
 * `POST   /v1/exhibits`                 reserve -> 201 (new) or 200 (the caller's own) entry
 * `POST   /v1/exhibits/lookup`          which of some sources the caller has reserved -> 200 entries by source id
 * `GET    /v1/exhibits?case=&reference=&after=&limit=`  page of entries
 * `GET    /v1/exhibits/:id`             entry, with documents once sealed
 * `PUT    /v1/exhibits/:id/record`      sealed record -> 200 documents, or 202 + Retry-After while proving
 * `GET    /v1/exhibits/:id/custody`     the custody log, `application/x-ndjson`
 */
export const exhibitsPath = "/v1/exhibits";

export const reservationSchema = z.strictObject({
  case: caseSchema,
  reference: referenceSchema.optional(),
  initials: initialsSchema.optional(),
  sourceId: z.string().min(1).max(512),
  totalBytes: z.number().int().nonnegative().max(Number.MAX_SAFE_INTEGER),
});

export const exhibitEntrySchema = z.strictObject({
  id: exhibitIdSchema,
  case: heldCaseSchema,
  reference: referenceSchema,
  state: z.enum(["open", "sealed"]),
  reservedAt: z.iso.datetime(),
});

/** As many as one lookup is answered. */
export const mostLookedUp = 1000;

export const lookupSchema = z.strictObject({
  case: caseSchema,
  sourceIds: z.array(z.string().min(1).max(512)).max(mostLookedUp),
});

export const lookedUpSchema = z.strictObject({
  found: z.array(z.strictObject({ sourceId: z.string(), entry: exhibitEntrySchema })),
});

export const exhibitDocumentsSchema = z.strictObject({
  entry: exhibitEntrySchema,
  record: sealedSchema.optional(),
  receipt: sealedSchema.optional(),
});

export const exhibitPageSchema = z.strictObject({
  exhibits: z.array(exhibitEntrySchema),
  /** Hand back as `after` for the next page; absent on the last. */
  next: z.string().optional(),
});

export const recordBodySchema = z.strictObject({ record: sealedSchema });
