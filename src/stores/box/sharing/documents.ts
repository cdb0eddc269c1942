import { z } from "zod";
import { exhibitIdSchema } from "../../../evidence/address.ts";
import { accessSchema, linkReachSchema, recipientSchema } from "../../../evidence/share.ts";
import { callSchema } from "./calls.ts";

const instant = z.iso.datetime();
const boxId = z.string().regex(/^\d{1,20}$/);
const sha1 = z.string().regex(/^[0-9a-f]{40}$/);

export const shareIdSchema = z.string().regex(/^S[2-8A-Z]{9}$/);

/** A file or folder in Box. */
export const boxItemSchema = z.strictObject({ type: z.enum(["file", "folder"]), id: boxId });
export type BoxItemId = z.infer<typeof boxItemSchema>;

const plannedCopySchema = z.strictObject({
  exhibit: exhibitIdSchema,
  /** The file that is copied. It is never deleted. */
  original: boxId,
  name: z.string().min(1).max(255),
  sizeBytes: z.int().nonnegative(),
  sha1,
});
export type PlannedCopy = z.infer<typeof plannedCopySchema>;

const madeCopySchema = plannedCopySchema.extend({ id: boxId });
export type MadeCopy = z.infer<typeof madeCopySchema>;

const planFields = {
  id: shareIdSchema,
  /** The Box user's id. */
  createdBy: boxId,
  createdAt: instant,
  expiresAt: instant,
  recipient: recipientSchema,
  access: accessSchema,
  purpose: z.string().max(500).optional(),
  exhibits: z
    .array(z.strictObject({ id: exhibitIdSchema, case: z.string(), reference: z.string() }))
    .min(1),
  /** Who can open the link, for `view`. */
  reach: linkReachSchema.optional(),
  /** The exhibits' own folders, for `original`. */
  folders: z.array(z.strictObject({ exhibit: exhibitIdSchema, id: boxId })),
};

/** What is about to be made: written before anything is, so that what a crash leaves can be found and taken away. */
export const intentSchema = z.strictObject({
  schema: z.literal("exhibit.box-share-intent/1"),
  ...planFields,
  copies: z.array(plannedCopySchema),
});
export type Intent = z.infer<typeof intentSchema>;

/** How a link was left. Its address carries a secret, and only its SHA-256 is kept. */
export const leftLinkSchema = z.strictObject({
  on: boxItemSchema,
  urlSha256: z.string().regex(/^[0-9a-f]{64}$/),
  access: linkReachSchema,
  hasPassword: z.boolean(),
});
export type LeftLink = z.infer<typeof leftLinkSchema>;

export const madeCollaborationSchema = z.strictObject({
  id: boxId,
  on: boxItemSchema,
  /** The one exhibit that it is for, for `original`. */
  exhibit: exhibitIdSchema.optional(),
  role: z.enum(["viewer", "previewer"]),
  /** Whether it ends by itself. */
  expires: z.boolean(),
});
export type MadeCollaboration = z.infer<typeof madeCollaborationSchema>;

/** A share that is complete: written last. */
export const shareDocumentSchema = z.strictObject({
  schema: z.literal("exhibit.box-share/1"),
  ...planFields,
  copies: z.array(madeCopySchema),
  link: leftLinkSchema.optional(),
  collaborations: z.array(madeCollaborationSchema),
});
export type ShareDocument = z.infer<typeof shareDocumentSchema>;

const intentFields = z.object(intentSchema.shape);

/** What was about to be made, by what was made. */
export function intentOf(document: ShareDocument): Intent {
  const copies = document.copies.map(({ exhibit, original, name, sizeBytes, sha1: digest }) => ({
    exhibit,
    original,
    name,
    sizeBytes,
    sha1: digest,
  }));
  return intentFields.parse({ ...document, schema: "exhibit.box-share-intent/1", copies });
}

/** One thing that we did with a share. Never changed, and never taken away. */
export const shareEventSchema = z.strictObject({
  schema: z.literal("exhibit.box-share-event/1"),
  share: shareIdSchema,
  at: instant,
  /** The Box user's id. */
  by: boxId,
  event: z.enum([
    "created",
    "updating",
    "updated",
    "exhibit-revoked",
    "revoked",
    "abandoned",
    "cleared",
  ]),
  /** The end that was given, of `created`, `updating` and `updated`. */
  expiresAt: instant.optional(),
  exhibit: exhibitIdSchema.optional(),
  /** In words; never a name. */
  detail: z.string().optional(),
  /** What was asked of Box for it. */
  calls: z.array(callSchema),
});
export type ShareEvent = z.infer<typeof shareEventSchema>;
