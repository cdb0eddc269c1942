import { z } from "zod";
import { ExhibitError } from "../evidence/errors.ts";
import { organisationSchema, type Identity, type Role } from "../evidence/identity.ts";
import { publicJwkSchema } from "../evidence/seal.ts";
import { accountsOf } from "./abilities.ts";
import { checked } from "./checked.ts";
import { connected } from "./connected.ts";
import type { Deps } from "./deps.ts";

export const publicKeyType = "exhibit.public-key/1";
const publicKeySchema = z.strictObject({
  schema: z.literal(publicKeyType),
  key: publicJwkSchema,
  thumbprint: z.string(),
});
export type PublicKeyFile = z.infer<typeof publicKeySchema>;

export interface IdentityEnrolRequest {
  readonly store?: string;
  /** What the file of the public half holds. */
  readonly publicKey: string;
  readonly role: Role;
  readonly organisation: string;
  readonly quotaBytes?: number;
}

/**
 * Enrols a key that was made elsewhere; repeating it gives the same identity.
 *
 * @throws ExhibitError `usage.invalid` for what is no public key, `conflict.exists`, `policy.role`
 */
export async function enrolIdentity(
  deps: Pick<Deps, "connect">,
  request: IdentityEnrolRequest,
  signal: AbortSignal,
): Promise<Identity> {
  const { key } = publicKeyOf(request.publicKey);
  const organisation = checked(organisationSchema, request.organisation, "The organisation");
  const { role, quotaBytes } = request;
  return connected(deps, request.store, (connection) =>
    accountsOf(connection).enrolKey({ key, role, organisation, quotaBytes }, signal),
  );
}

function publicKeyOf(text: string): PublicKeyFile {
  try {
    return publicKeySchema.parse(JSON.parse(text));
  } catch (cause) {
    throw new ExhibitError("usage.invalid", "This file holds no public key of exhibit's.", {
      hint: "Give the file FILE.pub that exhibit key create has made; never the one without .pub.",
      cause,
    });
  }
}
