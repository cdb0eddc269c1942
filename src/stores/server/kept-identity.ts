import { z } from "zod";
import { ExhibitError } from "../../evidence/errors.ts";
import type { Secrets } from "../../evidence/ports/secrets.ts";
import { publicJwkSchema } from "../../evidence/seal.ts";
import { statedProviderSchema } from "../../protocol/server-statement.ts";
import type { KnownServer } from "./ask-server.ts";

const common = {
  /** The identity's id; where the server itself gives tokens, also its OAuth client id. */
  clientId: z.string(),
  /** The private key, as a JWK. */
  key: publicJwkSchema.extend({ d: z.string() }),
  /** Thumbprint of the server's key. */
  serverThumbprint: z.string(),
  /** Keys that the server signed with once, so that receipts of theirs can be checked without it. */
  retiredServerKeys: z
    .array(z.strictObject({ thumbprint: z.string(), retiredAt: z.iso.datetime() }))
    .optional(),
};

const invitedSchema = z.strictObject({
  ...common,
  by: z.literal("invitation").default("invitation"),
  /** For taking the registration back (RFC 7592). */
  registration: z.strictObject({ uri: z.url(), token: z.string() }),
});
export type Invited = z.infer<typeof invitedSchema>;

/** Somebody who signed in by the force's provider; the tokens are kept apart, since they change. */
const officerSchema = z.strictObject({
  ...common,
  by: z.literal("provider"),
  provider: statedProviderSchema,
});

/** A key that was made elsewhere and enrolled by an admin. */
const keyHolderSchema = z.strictObject({ ...common, by: z.literal("key") });

/** What this machine keeps of an enrolment, as one secret. */
const keptIdentitySchema = z.union([invitedSchema, officerSchema, keyHolderSchema]);
export type KeptIdentity = z.infer<typeof keptIdentitySchema>;

/** The name under which the enrolment at a server is kept. */
function identityName(url: string): string {
  return `identity:${url}`;
}

/** This machine's enrolment at the server, if there is one. */
export async function findIdentity(
  secrets: Secrets,
  url: string,
): Promise<KeptIdentity | undefined> {
  const text = await secrets.get(identityName(url));
  return text === undefined ? undefined : keptIdentitySchema.safeParse(parseJson(text)).data;
}

/** @throws ExhibitError `auth.required` when this machine is not enrolled there */
export async function loadIdentity(secrets: Secrets, url: string): Promise<KeptIdentity> {
  const kept = await findIdentity(secrets, url);
  if (kept !== undefined) return kept;
  throw new ExhibitError("auth.required", `This computer is not signed in at ${url}.`, {
    hint: `Run exhibit login ${url}; partners need an invitation for it.`,
  });
}

export async function keepIdentity(
  secrets: Secrets,
  url: string,
  identity: KeptIdentity,
): Promise<void> {
  await secrets.set(identityName(url), JSON.stringify(identity));
}

/**
 * Pins the key that a server turned out to have, when the old pin led to it, and keeps the retired ones that it states. Writes only what is
 * new, and nothing where somebody logged in anew meanwhile.
 */
export async function keepServerKeys(
  secrets: Secrets,
  url: string,
  kept: KeptIdentity,
  { thumbprint, retired }: Pick<KnownServer, "thumbprint" | "retired">,
): Promise<KeptIdentity> {
  const now: KeptIdentity = {
    ...kept,
    serverThumbprint: thumbprint,
    ...(retired.length === 0 ? {} : { retiredServerKeys: [...retired] }),
  };
  if (JSON.stringify(now) === JSON.stringify(kept)) return kept;
  const there = await findIdentity(secrets, url);
  if (there?.clientId === kept.clientId) await keepIdentity(secrets, url, now);
  return now;
}

export async function forgetIdentity(secrets: Secrets, url: string): Promise<void> {
  await secrets.delete(identityName(url));
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
