import { z } from "zod";
import { publicJwkSchema } from "../evidence/seal.ts";
import { bundleLimitsSchema } from "./bundles.ts";

export const serverStatementType = "exhibit.server/1";

/** `GET /v1/server?nonce=N`: who this server is, sealed by its key over the caller's nonce. No sign-in needed. */
export const serverStatementPath = "/v1/server";

/** The force's OpenID Connect provider, where officers sign in by it. */
export const statedProviderSchema = z.strictObject({
  issuer: z.url(),
  clientId: z.string().min(1),
  /** What to ask the provider for. */
  scopes: z.array(z.string().regex(/^[\x21\x23-\x5B\x5D-\x7E]+$/)).min(1),
});
export type StatedProvider = z.infer<typeof statedProviderSchema>;

export const serverStatementSchema = z.strictObject({
  schema: z.literal(serverStatementType),
  nonce: z.string(),
  at: z.iso.datetime(),
  publicUrl: z.url(),
  /** OAuth issuer; its metadata is at `<issuer>/.well-known/openid-configuration`. */
  issuer: z.url(),
  /** Absent where everybody signs in by an invitation. */
  provider: statedProviderSchema.optional(),
  organisation: z.string(),
  version: z.string(),
  key: publicJwkSchema,
  thumbprint: z.string(),
  /** Keys that it signed with once: a receipt that is not younger than its key's retirement counts. Absent where there are none. */
  retired: z
    .array(z.strictObject({ key: publicJwkSchema, retiredAt: z.iso.datetime() }))
    .optional(),
  limits: z.strictObject({
    /** `one`: all parts but the last have the upload's `partBytes`; `any`: a part may be shorter, anywhere. */
    partLengths: z.enum(["one", "any"]),
    minPartBytes: z.number().int(),
    maxPartBytes: z.number().int(),
    maxParts: z.number().int(),
    maxPutBytes: z.number().int(),
    maxObjectBytes: z.number().int(),
    /** Absent where many small exhibits cannot be sent at once. */
    bundles: bundleLimitsSchema.optional(),
  }),
});
export type ServerStatement = z.infer<typeof serverStatementSchema>;

/** The audience of access tokens: `<publicUrl>/v1`. */
export function audienceOf(publicUrl: string): string {
  return `${publicUrl.replace(/\/$/, "")}/v1`;
}
