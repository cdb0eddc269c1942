import { z } from "zod";
import { ExhibitError } from "../evidence/errors.ts";
import type { Secrets } from "../evidence/ports/secrets.ts";
import { newPrivateJwk, publicJwkSchema, signingKey, type SigningKey } from "../evidence/seal.ts";

const secretName = "machine-key";
const privateJwkSchema = publicJwkSchema.extend({ d: z.string() });

/** This machine's own signing key, if it has one. @throws ExhibitError `auth.no-keychain` */
export async function findMachineKey(secrets: Secrets): Promise<SigningKey | undefined> {
  const kept = await secrets.get(secretName);
  if (kept === undefined) return undefined;
  try {
    return await signingKey(privateJwkSchema.parse(JSON.parse(kept)));
  } catch (cause) {
    throw new ExhibitError(
      "auth.no-keychain",
      `This machine's signing key in ${secrets.place} cannot be read.`,
      { hint: "Restore it from a backup: a new one cannot vouch for older receipts.", cause },
    );
  }
}

/** This machine's own signing key, made when it is first needed. @throws ExhibitError `auth.no-keychain` */
export async function machineKey(secrets: Secrets): Promise<SigningKey> {
  const known = await findMachineKey(secrets);
  if (known !== undefined) return known;
  const made = await newPrivateJwk();
  await secrets.set(secretName, JSON.stringify(made));
  return signingKey(made);
}
