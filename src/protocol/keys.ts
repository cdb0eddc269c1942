import { z } from "zod";
import { publicJwkSchema, sealedSchema } from "../evidence/seal.ts";
import { identitiesPath } from "./accounts.ts";

/**
 * Keys of machines that sign records for somebody who comes by the force's provider:
 *
 * `POST   /v1/identities/me/keys`              register, with a proof that the caller has it -> 201; again -> 201
 * `DELETE /v1/identities/me/keys/:thumbprint`  it signs nothing more; what it signed stays good -> 204; again -> 204
 */
export const ownKeysPath = `${identitiesPath}/me/keys`;

/** How many machines one person may have at once. */
export const mostKeys = 20;

export const keyProofType = "exhibit.key-proof/1";
/** How old a proof may be, in seconds, either way. */
export const proofToleranceSeconds = 300;

/** Signed by the new key: for whom, and where, so that nobody else can hand it in. */
export const keyProofSchema = z.strictObject({
  schema: z.literal(keyProofType),
  identity: z.string(),
  /** The server's public address. */
  server: z.url(),
  at: z.iso.datetime(),
});
export type KeyProof = z.infer<typeof keyProofSchema>;

export const newKeySchema = z.strictObject({ key: publicJwkSchema, proof: sealedSchema });
