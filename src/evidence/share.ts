import { z } from "zod";
import { exhibitIdSchema } from "./address.ts";
import { ExhibitError } from "./errors.ts";

/** `view`: watermarked working copies only. `original`: the unaltered masters with their receipt. */
export const accessSchema = z.enum(["view", "original"]);
export type ShareAccess = z.infer<typeof accessSchema>;

/** Who can open a link at all: whoever has it, people of the store's organisation, or only those who were invited by name. */
export const linkReachSchema = z.enum(["open", "company", "collaborators"]);
export type LinkReach = z.infer<typeof linkReachSchema>;

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

/** What became of the mail with a share's link. `waiting`: it is tried again until `until`. */
export const deliverySchema = z.strictObject({
  state: z.enum(["waiting", "sent", "refused"]),
  /** When it came to that; absent before the first try is over. */
  at: z.iso.datetime().optional(),
  /** What the mail server said, as its codes or in words of ours; never an address. */
  reply: z.string().max(200).optional(),
  until: z.iso.datetime().optional(),
});
export type Delivery = z.infer<typeof deliverySchema>;

/** A share as its creator sees it; link and code are shown once, when it is made, and are not in here. */
export const shareSchema = z.strictObject({
  /** Short, without look-alike characters, and burnt into every copy: `S` and nine of `2-8 A-Z` less 5, I, O, S, Z, B. */
  id: z.string(),
  recipient: recipientSchema,
  access: accessSchema,
  purpose: z.string().max(500).optional(),
  /** Whose share it is: an identity's id, where the store has identities. */
  createdBy: z.string().optional(),
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
  /** `unfinished`: making it was broken off; what is left of it is taken away by revoking it. */
  state: z.enum(["open", "expired", "revoked", "unfinished"]),
  /** Only where link and code go by mail. */
  delivery: deliverySchema.optional(),
});
export type Share = z.infer<typeof shareSchema>;

/** No share lasts longer. */
export const longestShareDays = 90;

/** @throws ExhibitError `usage.invalid` for an end that has passed or is too far away */
export function checkShareEnd(expiresAt: string, now: Date): void {
  const days = (Date.parse(expiresAt) - now.getTime()) / 86_400_000;
  if (days > 0 && days <= longestShareDays) return;
  throw new ExhibitError(
    "usage.invalid",
    days > 0
      ? `A share can last ${longestShareDays} days at most.`
      : "A share must end in the future, not in the past.",
    { hint: "Choose its end with --expires, for example --expires 7d.", facts: { expiresAt } },
  );
}

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
    "mail-sent",
    "mail-delayed",
    "mail-refused",
    "code-asked",
    "code-sent",
    "code-delayed",
    "code-refused",
    "share-renewed",
    "note-left",
    // From here on of shares that live in Box.
    "share-created",
    "share-updated",
    "share-revoked",
    "share-abandoned",
    "share-cleared",
    "copy-made",
    "copy-marked",
    "copy-unmarked",
    "copy-downloaded",
    "copy-deleted",
    "copy-changed",
    "link-made",
    "link-changed",
    "link-removed",
    "link-expired",
    "invited",
    "invitation-accepted",
    "invitation-changed",
    "invitation-ended",
    "other",
  ]),
  /** Left out where it is not known. */
  address: z.string().optional(),
  agent: z.string().optional(),
  /** Who did it, as far as the store tells: a login, a user's id, or `anyone with the link`. */
  who: z.string().optional(),
  /** Where this line comes from; left out for the log of an exhibit server. */
  source: z.enum(["own", "admin_logs", "admin_logs_streaming", "user_events"]).optional(),
  session: z.string().optional(),
  reference: z.string().optional(),
  detail: z.string().optional(),
});
export type ShareAccessEvent = z.infer<typeof shareAccessSchema>;
