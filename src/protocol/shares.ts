import { z } from "zod";
import {
  accessSchema,
  recipientSchema,
  shareAccessSchema,
  shareSchema,
} from "../evidence/share.ts";
import { exhibitIdSchema } from "../evidence/address.ts";

/**
 * `POST /v1/shares`               create -> 201 with link and code, shown this once
 * `GET  /v1/shares?of=IDENTITY`   the caller's (an admin's: all), or those of one identity among them
 * `GET  /v1/shares/:id`           one
 * `GET  /v1/shares/:id/log`       every access
 * `POST /v1/shares/:id/update`    another end; link and code stay -> 200
 * `POST /v1/shares/:id/reassign`  hand it to another officer (admin) -> 200
 * `POST /v1/shares/:id/renew`     a new link and code, the old ones dead -> 200, as for create
 * `POST /v1/shares/:id/revoke`    cut it, or one exhibit of it -> 200
 *
 * The recipient's side is `/s/<token>`: pages, not an API.
 */
export const sharesPath = "/v1/shares";
export const sharePagePath = "/s";

export const newShareRequestSchema = z.strictObject({
  exhibits: z.array(exhibitIdSchema).min(1).max(200),
  recipient: recipientSchema,
  access: accessSchema,
  expiresAt: z.iso.datetime(),
  purpose: z.string().trim().min(1).max(500).optional(),
  requireVisibleMark: z.boolean().optional(),
  mail: z.boolean().optional(),
  notes: z.boolean().optional(),
});

/** `code` is absent where the recipient is sent one by mail. */
export const newShareSchema = z.strictObject({
  share: shareSchema,
  link: z.url(),
  code: z.string().optional(),
  warnings: z.array(z.string()),
});

export const shareListSchema = z.strictObject({ shares: z.array(shareSchema) });
export const shareLogSchema = z.strictObject({ events: z.array(shareAccessSchema) });

export const updateShareSchema = z.strictObject({ expiresAt: z.iso.datetime() });

export const reassignShareSchema = z.strictObject({ to: z.string().min(1).max(64) });
export const renewSchema = z.strictObject({ mail: z.boolean().optional() });

export const revokeSchema = z.strictObject({ exhibit: exhibitIdSchema.optional() });

export const revocationSchema = z.strictObject({
  share: shareSchema,
  already: z.boolean(),
  sessionsCut: z.number().int().nonnegative(),
  streamsCut: z.number().int().nonnegative(),
  originalsTaken: z.number().int().nonnegative(),
});
