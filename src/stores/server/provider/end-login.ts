import { ExhibitError, familyOf, hasCode } from "../../../evidence/errors.ts";
import type { LoginEnd } from "../../../evidence/ports/sign-in.ts";
import { signingKey } from "../../../evidence/seal.ts";
import { ownKeysPath } from "../../../protocol/keys.ts";
import { callServer } from "../http.ts";
import type { KeptIdentity } from "../kept-identity.ts";
import type { SessionMachine } from "../session.ts";
import { findTokens, forgetTokens, keepTokens, loginCommand, tokensName } from "./kept-tokens.ts";
import { newTokens } from "./officer-tokens.ts";
import { Provider } from "./provider.ts";

type OfficerLogin = Extract<KeptIdentity, { by: "provider" }>;

/** Whether a failure says that a login is over already. */
export function isOver(error: unknown): boolean {
  return over.some((code) => hasCode(error, code));
}

const over = [
  "auth.login-expired",
  "auth.token-invalid",
  "auth.identity-revoked",
  "auth.identity-unknown",
] as const;

/**
 * Ends an officer's login on this machine: its key at the server, the refresh token at the provider, the tokens here. A login that is
 * over already needs no ending; one that the provider refuses to end, because it does not take the application any more, is forgotten. With `keepGrant` the refresh token is left to end by itself: at some providers everything that hangs on the same
 * grant ends with it, a login that has just taken its place too.
 */
export async function endOfficerLogin(
  url: string,
  kept: OfficerLogin,
  machine: SessionMachine,
  signal: AbortSignal,
  { keepGrant = false } = {},
): Promise<LoginEnd> {
  const { secrets } = machine;
  const provider = new Provider(kept.provider, machine, loginCommand(url));
  const end = async (): Promise<LoginEnd> => {
    let ended: LoginEnd = "ended";
    let tokens = await findTokens(secrets, url);
    if (tokens !== undefined) {
      try {
        if (tokens.until <= machine.clock.now().getTime()) {
          const { refreshToken } = tokens;
          tokens = newTokens(await provider.refresh(refreshToken, signal), refreshToken);
          await keepTokens(secrets, url, tokens);
        }
        try {
          await endKey(url, kept, tokens.accessToken, machine, signal);
        } finally {
          // Also where the server does not let this officer in any more.
          if (!keepGrant) await provider.revoke(tokens.refreshToken, signal);
        }
      } catch (error) {
        const isRefusal = error instanceof ExhibitError && /^(?:auth|policy)\./.test(error.code);
        if (!isRefusal) throw error;
        // Whom the server's rules keep out has no login there.
        if (!isOver(error) && familyOf(error.code) !== "policy") ended = "forgotten";
      }
    }
    await forgetTokens(secrets, url);
    return ended;
  };
  return machine.inTurn(tokensName(url), end, signal);
}

async function endKey(
  url: string,
  kept: OfficerLogin,
  accessToken: string,
  { network }: SessionMachine,
  signal: AbortSignal,
): Promise<void> {
  const { thumbprint } = await signingKey(kept.key);
  await callServer(
    url,
    network.route(url),
    { method: "DELETE", path: `${ownKeysPath}/${thumbprint}` },
    { authorization: `Bearer ${accessToken}` },
    signal,
  );
}
