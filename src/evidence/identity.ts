import { z } from "zod";

/** What an identity may do: `admin` runs the server's people, `officer` works cases, `partner` sends. */
export const roles = ["admin", "officer", "partner"] as const;
export const roleSchema = z.enum(roles);
export type Role = z.infer<typeof roleSchema>;

export const organisationSchema = z
  .string()
  .trim()
  .min(1, "must not be empty")
  .max(120)
  .regex(/^[^\p{Cc}\p{Cf}\p{Zl}\p{Zp}]*$/u, "must not hold control characters");

/** `provider`: the force's identity provider let them in. `key`: an admin enrolled a key that was made elsewhere. */
export const enrolledBySchema = z.enum(["invitation", "provider", "key"]);
export type EnrolledBy = z.infer<typeof enrolledBySchema>;

/** An enrolled person, partner or machine, as the server knows it. */
export const identitySchema = z.strictObject({
  id: z.string(),
  /** Of who comes by the provider: as their last token had it. */
  role: roleSchema,
  organisation: organisationSchema,
  enrolledBy: enrolledBySchema,
  /** Absent for who comes by the provider: each of their machines has a key of its own. */
  keyThumbprint: z.string().optional(),
  enrolledAt: z.iso.datetime(),
  revokedAt: z.iso.datetime().optional(),
  quotaBytes: z.number().int().nonnegative().optional(),
  usedBytes: z.number().int().nonnegative(),
});
export type Identity = z.infer<typeof identitySchema>;

/** An invitation as an admin sees it; its code is shown once, when it is made, and is not in here. */
export const invitationSchema = z.strictObject({
  id: z.string(),
  role: roleSchema,
  organisation: organisationSchema,
  createdAt: z.iso.datetime(),
  expiresAt: z.iso.datetime(),
  quotaBytes: z.number().int().nonnegative().optional(),
  state: z.enum(["open", "used", "expired", "revoked"]),
});
export type Invitation = z.infer<typeof invitationSchema>;

/** An identity with what an admin asks about it. */
export const identityReportSchema = identitySchema.extend({
  /** What the provider calls the person, where that is a GUID (in Entra ID: the object id). */
  providerSubject: z.string().optional(),
  /** To the hour. */
  lastSeenAt: z.iso.datetime().optional(),
  /** Machines whose keys sign for it. */
  machines: z.number().int().nonnegative(),
  openShares: z.number().int().nonnegative(),
});
export type IdentityReport = z.infer<typeof identityReportSchema>;
