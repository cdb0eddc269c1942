import { z } from "zod";
import type { Secrets } from "../evidence/ports/secrets.ts";
import { newPrivateJwk, publicJwkSchema, signingKey, type SigningKey } from "../evidence/seal.ts";

const secretName = "prepared-key";
const privateJwkSchema = publicJwkSchema.extend({ d: z.string() });

/** The key that `exhibit key create` put here, to be enrolled by an admin; undefined where there is none. */
export async function findPreparedKey(
  secrets: Secrets,
): Promise<z.infer<typeof privateJwkSchema> | undefined> {
  const kept = await secrets.get(secretName);
  return kept === undefined ? undefined : privateJwkSchema.parse(JSON.parse(kept));
}

/** Makes such a key, or gives the one that is there. */
export async function prepareKey(secrets: Secrets): Promise<SigningKey> {
  const known = await findPreparedKey(secrets);
  if (known !== undefined) return signingKey(known);
  const made = await newPrivateJwk();
  await secrets.set(secretName, JSON.stringify(made));
  return signingKey(made);
}
