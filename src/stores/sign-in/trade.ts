import { setTimeout as pause } from "node:timers/promises";
import { type ExhibitError, hasCode } from "../../evidence/errors.ts";
import type { IsGood, Token } from "./shared-token.ts";

/** What a person's login keeps of tokens. */
export interface Pair extends Token {
  /** Good for one trade. */
  readonly refreshToken: string;
}

/** Does `work` while no other process of this machine does work of the same name. */
export type InTurn = <Result>(
  name: string,
  work: () => Promise<Result>,
  signal: AbortSignal,
) => Promise<Result>;

/** A person's login, whose refresh token is traded for a new pair. */
export interface TradedLogin<Login extends Pair> {
  /** The name that processes take turns by. */
  readonly name: string;
  readonly inTurn: InTurn;
  /** What is kept now; undefined where another kind of login has taken its place. @throws ExhibitError `auth.required` */
  load(): Promise<Login | undefined>;
  /** Trades the refresh token. @throws ExhibitError `auth.login-expired` where it is not taken */
  trade(login: Login, signal: AbortSignal): Promise<Login>;
  /** Writes a new pair down. */
  keep(login: Login): Promise<void>;
}

/** How long an answer that may hold the next refresh token is still waited for when this program is told to stop. */
const lastWaitMs = 5000;
/** When another computer shares the secrets, what it was given may be on its way into them. */
const readAgainAfterMs = [0, 300, 1500] as const;

/**
 * A good token of a login that all processes of this machine share: one of them trades the refresh token, and writes the new pair
 * down before anybody uses it. Undefined where another kind of login has taken its place.
 *
 * @throws ExhibitError `auth.login-expired`, `conflict.locked`, and what `trade` throws
 */
export async function traded<Login extends Pair>(
  kept: TradedLogin<Login>,
  isGood: IsGood,
  signal: AbortSignal,
): Promise<Login | undefined> {
  const work = async (): Promise<Login | undefined> => {
    // Read anew: while this process waited for its turn another one may have traded.
    const login = await kept.load();
    if (login === undefined || isGood(login)) return login;
    const patient = outlasting(signal);
    try {
      return await tradeAndKeep(kept, login, patient.signal);
    } catch (error) {
      if (!hasCode(error, "auth.login-expired")) throw error;
      return await tradedElsewhere(kept, login, error, isGood, signal);
    } finally {
      patient.end();
    }
  };
  return kept.inTurn(kept.name, work, signal);
}

async function tradeAndKeep<Login extends Pair>(
  kept: TradedLogin<Login>,
  login: Login,
  signal: AbortSignal,
): Promise<Login> {
  const next = await kept.trade(login, signal);
  await kept.keep(next);
  return next;
}

/** The refresh token was not taken. It is dead only when nobody has put another one in its place. */
async function tradedElsewhere<Login extends Pair>(
  kept: TradedLogin<Login>,
  spent: Login,
  refusal: ExhibitError,
  isGood: IsGood,
  signal: AbortSignal,
): Promise<Login | undefined> {
  for (const afterMs of readAgainAfterMs) {
    await pause(afterMs, undefined, { signal });
    const login = await kept.load();
    if (login === undefined) return undefined;
    if (login.refreshToken !== spent.refreshToken) {
      return isGood(login) ? login : tradeAndKeep(kept, login, signal);
    }
  }
  throw refusal;
}

/** A signal that is given some seconds after `signal`: what was answered by then is not lost. */
function outlasting(signal: AbortSignal): { readonly signal: AbortSignal; end(): void } {
  const later = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const stop = (): void => {
    timer = setTimeout(() => {
      later.abort(signal.reason);
    }, lastWaitMs);
  };
  signal.addEventListener("abort", stop, { once: true });
  return {
    signal: later.signal,
    end() {
      signal.removeEventListener("abort", stop);
      clearTimeout(timer);
    },
  };
}
