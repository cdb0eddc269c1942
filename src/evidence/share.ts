import { z } from "zod";
import { exhibitIdSchema } from "./address.ts";

/** `view`: watermarked working copies only. `original`: the unaltered masters with their receipt. */
export const accessSchema = z.enum(["view", "original"]);
export type ShareAccess = z.infer<typeof accessSchema>;

const line = z
  .string()
  .trim()
  .min(1, "must not be empty")
  .max(120)
  .regex(/^[^\p{Cc}\p{Cf}\p{Zl}\p{Zp}]*$/u, "must not hold control or direction characters");

/** The one named person a share is for. */
export const recipientSchema = z.strictObject({
  name: line,
  email: z.email().max(254),
});
export type Recipient = z.infer<typeof recipientSchema>;

/** A share as its creator sees it; link and code are shown once, when it is made, and are not in here. */
export const shareSchema = z.strictObject({
  /** Short, without look-alike characters, and burnt into every copy: `S` and nine of `2-8 A-Z` less 5, I, O, S, Z, B. */
  id: z.string(),
  recipient: recipientSchema,
  access: accessSchema,
  purpose: z.string().max(500).optional(),
  createdAt: z.iso.datetime(),
  expiresAt: z.iso.datetime(),
  revokedAt: z.iso.datetime().optional(),
  exhibits: z.array(
    z.strictObject({
      id: exhibitIdSchema,
      case: z.string(),
      reference: z.string(),
      revokedAt: z.iso.datetime().optional(),
    }),
  ),
  state: z.enum(["open", "expired", "revoked"]),
});
export type Share = z.infer<typeof shareSchema>;

/**
 * One access to a share: who, when, from where, what. `prefetch` is a machine that fetched the page without
 * ever giving a code (mail scanners do): it is not a view by the recipient.
 */
export const shareAccessSchema = z.strictObject({
  at: z.iso.datetime(),
  kind: z.enum([
    "prefetch",
    "page",
    "code-wrong",
    "code-limited",
    "session-started",
    "exhibit-viewed",
    "segment",
    "file-viewed",
    "original-downloaded",
    "refused-expired",
    "refused-revoked",
    "stream-cut",
  ]),
  address: z.string(),
  agent: z.string(),
  session: z.string().optional(),
  reference: z.string().optional(),
  detail: z.string().optional(),
});
export type ShareAccessEvent = z.infer<typeof shareAccessSchema>;
