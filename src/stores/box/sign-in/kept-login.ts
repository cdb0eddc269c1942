import { z } from "zod";
import { boxAddress, boxAddressText } from "../../../evidence/box-address.ts";
import { ExhibitError } from "../../../evidence/errors.ts";
import type { Secrets } from "../../../evidence/ports/secrets.ts";
import type { SignInPlace } from "../../../evidence/ports/sign-in.ts";

const applicationShape = { clientId: z.string().min(1), clientSecret: z.string().min(1) };
const subjectSchema = z.strictObject({ type: z.enum(["enterprise", "user"]), id: z.string() });

/** A person's login. Both tokens are here, so that all processes of this machine share one pair. */
const personSchema = z.strictObject({
  by: z.literal("page"),
  ...applicationShape,
  /** Good for one use and 60 days. */
  refreshToken: z.string().min(1),
  accessToken: z.string().min(1),
  /** End of the access token by this machine's clock, in ms since 1970. */
  until: z.number(),
});

/** A key of the application. Its tokens are not here: each process gets its own. */
const keySchema = z.strictObject({
  by: z.literal("key"),
  ...applicationShape,
  keyId: z.string().min(1),
  /** In PEM, encrypted as it came. */
  privateKey: z.string().min(1),
  passphrase: z.string(),
  subject: subjectSchema,
});

const credentialsSchema = z.strictObject({
  by: z.literal("credentials"),
  ...applicationShape,
  subject: subjectSchema,
});

const loginSchema = z.discriminatedUnion("by", [personSchema, keySchema, credentialsSchema]);
export type PersonLogin = z.infer<typeof personSchema>;
export type KeyLogin = z.infer<typeof keySchema>;
export type CredentialsLogin = z.infer<typeof credentialsSchema>;
/** All that this machine keeps of a login at Box, as one secret. */
export type BoxLogin = z.infer<typeof loginSchema>;

/** The name that a login is kept under, and that processes take turns by. */
export function loginName(url: string): string {
  return `box-login:${boxAddressText(boxAddress(url))}`;
}

/** This machine's login at the store, if there is one. */
export async function findLogin(secrets: Secrets, url: string): Promise<BoxLogin | undefined> {
  const text = await secrets.get(loginName(url));
  return text === undefined ? undefined : loginSchema.safeParse(parseJson(text)).data;
}

/** @throws ExhibitError `auth.required` when nobody is signed in there */
export async function loadLogin(secrets: Secrets, place: SignInPlace): Promise<BoxLogin> {
  const kept = await findLogin(secrets, place.url);
  if (kept !== undefined) return kept;
  throw new ExhibitError(
    "auth.required",
    `Nobody is signed in to ${place.name} on this computer.`,
    {
      hint: `Sign in: ${loginCommand(place)}`,
    },
  );
}

export async function keepLogin(secrets: Secrets, url: string, login: BoxLogin): Promise<void> {
  await secrets.set(loginName(url), JSON.stringify(login));
}

export async function forgetLogin(secrets: Secrets, url: string): Promise<void> {
  await secrets.delete(loginName(url));
}

/** What a person types to sign in there. */
export function loginCommand({ name }: SignInPlace): string {
  return `exhibit login ${/^[\w.-]+$/.test(name) ? name : `'${name}'`}`;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
