import type { Configuration } from "openid-client";
import { ExhibitError } from "../../evidence/errors.ts";
import type { Clock } from "../../evidence/ports/clock.ts";
import type { SigningKey } from "../../evidence/seal.ts";
import type { Route } from "../network.ts";
import { SharedToken, type Token, type Tokens } from "../sign-in/shared-token.ts";
import type { KnownServer } from "./ask-server.ts";
import { grantToken, prepareGrant } from "./sign-in.ts";

/** A token is replaced this long before its end. */
const spareMs = 60_000;

/** Who asks a server for its own tokens, and how. */
export interface KeyHolder {
  readonly clientId: string;
  readonly key: SigningKey;
  readonly clock: Clock;
  readonly route: Route;
  /** What the server said of itself last. */
  known(): KnownServer;
  /** Asks it again. */
  askAgain(signal: AbortSignal): Promise<KnownServer>;
}

/** The server's own access tokens for an enrolled key; kept in memory only. */
export function ownTokens(holder: KeyHolder): Tokens {
  let configuration: Configuration | undefined;
  const { clock, route } = holder;

  async function grant(signal: AbortSignal): Promise<Token> {
    const { statement } = holder.known();
    configuration ??= await prepareGrant(
      statement,
      holder.clientId,
      holder.key,
      () => new Date(clock.now().getTime() - holder.known().clockOffsetMs),
      route,
      signal,
    );
    const { token, lifeSeconds } = await grantToken(configuration, statement, route, signal);
    return { accessToken: token, until: clock.now().getTime() + lifeSeconds * 1000 };
  }

  /** Asks twice at most: a clock that was set since, or an assertion whose answer was lost, is put right by the second. */
  async function newToken(signal: AbortSignal): Promise<Token> {
    try {
      return await grant(signal);
    } catch (error) {
      const again =
        error instanceof ExhibitError && /^auth\.(?:clock-wrong|token-invalid)$/.test(error.code);
      if (!again) throw error;
      await holder.askAgain(signal);
      return grant(signal);
    }
  }

  return new SharedToken(
    (_isGood, signal) => newToken(signal),
    ({ until }) => until - spareMs > clock.now().getTime(),
  );
}
