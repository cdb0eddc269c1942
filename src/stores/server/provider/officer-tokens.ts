import type { StatedProvider } from "../../../protocol/server-statement.ts";
import { SharedToken, type IsGood, type Token, type Tokens } from "../../sign-in/shared-token.ts";
import { traded } from "../../sign-in/trade.ts";
import type { SessionMachine } from "../session.ts";
import {
  findTokens,
  keepTokens,
  loadTokens,
  loginCommand,
  tokensName,
  type ProviderTokens,
} from "./kept-tokens.ts";
import { Provider, type Granted } from "./provider.ts";

/** Access tokens of the force's provider for an officer who is signed in at the server at `url`. */
export function officerTokens(
  url: string,
  stated: StatedProvider,
  machine: SessionMachine,
): Tokens {
  return new SharedToken(
    (isGood, signal) => tokenOf(url, stated, machine, isGood, signal),
    ({ until }) => until > machine.clock.now().getTime(),
  );
}

/** When the newest access token ends, as it is kept. */
export async function officerTokenEnd(
  url: string,
  { secrets }: Pick<SessionMachine, "secrets">,
): Promise<Date | undefined> {
  const tokens = await findTokens(secrets, url);
  return tokens === undefined ? undefined : new Date(tokens.endsAt);
}

async function tokenOf(
  url: string,
  stated: StatedProvider,
  machine: SessionMachine,
  isGood: IsGood,
  signal: AbortSignal,
): Promise<Token> {
  const { secrets } = machine;
  const tokens = await loadTokens(secrets, url);
  if (isGood(tokens)) return tokens;
  const provider = new Provider(stated, machine, loginCommand(url));
  const newest = await traded<ProviderTokens>(
    {
      name: tokensName(url),
      inTurn: machine.inTurn,
      load: () => loadTokens(secrets, url),
      async trade({ refreshToken }, stop) {
        return newTokens(await provider.refresh(refreshToken, stop), refreshToken);
      },
      keep: (next) => keepTokens(secrets, url, next),
    },
    isGood,
    signal,
  );
  return newest ?? tokens;
}

/** What is kept of what the provider gave; one that does not rotate leaves the refresh token as it was. */
export function newTokens(granted: Granted, refreshTokenBefore: string): ProviderTokens {
  const { accessToken, refreshToken, endsAt, until } = granted;
  return { accessToken, refreshToken: refreshToken ?? refreshTokenBefore, endsAt, until };
}
