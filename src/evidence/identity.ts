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

/** An enrolled person, partner or machine, as the server knows it. */
export const identitySchema = z.strictObject({
  id: z.string(),
  role: roleSchema,
  organisation: organisationSchema,
  keyThumbprint: z.string(),
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
