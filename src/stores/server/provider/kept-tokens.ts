import { z } from "zod";
import { ExhibitError } from "../../../evidence/errors.ts";
import type { Secrets } from "../../../evidence/ports/secrets.ts";

/** An officer's newest tokens. They are here, so that all processes of this machine share one pair. */
const tokensSchema = z.strictObject({
  refreshToken: z.string().min(1),
  accessToken: z.string().min(1),
  /** End of the access token, and when it is to be replaced, by this machine's clock, in ms since 1970. */
  endsAt: z.number(),
  until: z.number(),
});
export type ProviderTokens = z.infer<typeof tokensSchema>;

/** The name that an officer's tokens are kept under, and that processes take turns by. */
export function tokensName(url: string): string {
  return `sso-login:${url}`;
}

/** What a person types to sign in there. */
export function loginCommand(url: string): string {
  return `exhibit login ${url}`;
}

export async function findTokens(
  secrets: Secrets,
  url: string,
): Promise<ProviderTokens | undefined> {
  const text = await secrets.get(tokensName(url));
  return text === undefined ? undefined : tokensSchema.safeParse(parseJson(text)).data;
}

/** @throws ExhibitError `auth.required` where nobody is signed in there */
export async function loadTokens(secrets: Secrets, url: string): Promise<ProviderTokens> {
  const kept = await findTokens(secrets, url);
  if (kept !== undefined) return kept;
  throw new ExhibitError("auth.required", `Nobody is signed in at ${url} on this computer.`, {
    hint: `Sign in: ${loginCommand(url)}`,
  });
}

export async function keepTokens(
  secrets: Secrets,
  url: string,
  tokens: ProviderTokens,
): Promise<void> {
  await secrets.set(tokensName(url), JSON.stringify(tokens));
}

export async function forgetTokens(secrets: Secrets, url: string): Promise<void> {
  await secrets.delete(tokensName(url));
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
