import { setTimeout as pause } from "node:timers/promises";
import { ExhibitError, hasCode } from "../../../evidence/errors.ts";
import type { Secrets } from "../../../evidence/ports/secrets.ts";
import type { SignInPlace } from "../../../evidence/ports/sign-in.ts";
import type { BoxTokens } from "../tokens.ts";
import { Grants, type Granted, type GrantMachine } from "./grants.ts";
import { keepLogin, loadLogin, loginName, type BoxLogin, type PersonLogin } from "./kept-login.ts";

/** What a login at Box needs of this machine. */
export interface BoxMachine extends GrantMachine {
  readonly secrets: Secrets;
  /**
   * Does `work` while no other process of this machine does work of the same name.
   *
   * @throws ExhibitError `conflict.locked` where another one has been at it for a minute; the signal's reason
   */
  inTurn<Result>(name: string, work: () => Promise<Result>, signal: AbortSignal): Promise<Result>;
}

/** A token is replaced this long before its end. */
const spareMs = 60_000;
/** How long an answer that may hold the next refresh token is still waited for when this program is told to stop. */
const lastWaitMs = 5000;
/** When another computer shares the secrets, what it was given may be on its way into them. */
const readAgainAfterMs = [0, 300, 1500] as const;

/**
 * Tokens of the login that this machine keeps for a store. All processes of the machine share a person's login: one of them
 * trades the refresh token, and writes the new pair down before anybody uses it.
 */
export function boxTokens(place: SignInPlace, machine: BoxMachine): BoxTokens {
  return new LoginTokens(place, machine);
}

type Token = Pick<Granted, "accessToken" | "until">;

class LoginTokens implements BoxTokens {
  readonly #place: SignInPlace;
  readonly #machine: BoxMachine;
  #held: Token | undefined;
  #refused: string | undefined;
  #asking: { readonly token: Promise<Token>; readonly signal: AbortSignal } | undefined;

  constructor(place: SignInPlace, machine: BoxMachine) {
    this.#place = place;
    this.#machine = machine;
  }

  async token(signal: AbortSignal, refused?: string): Promise<string> {
    signal.throwIfAborted();
    if (refused !== undefined) this.#refused = refused;
    if (this.#held !== undefined && this.#isGood(this.#held)) return this.#held.accessToken;
    const { accessToken } = await this.#shared(signal);
    // Whoever began asking did not know yet that this one is refused.
    return accessToken === refused ? (await this.#shared(signal)).accessToken : accessToken;
  }

  /** Whoever comes while a token is being got shares it, unless whoever began gives up. */
  async #shared(signal: AbortSignal): Promise<Token> {
    const asking = (this.#asking ??= { token: this.#get(signal), signal });
    try {
      return await asking.token;
    } catch (error) {
      if (!asking.signal.aborted || signal.aborted) throw error;
    } finally {
      if (this.#asking === asking) this.#asking = undefined;
    }
    return this.#shared(signal);
  }

  async #get(signal: AbortSignal): Promise<Token> {
    const login = await loadLogin(this.#machine.secrets, this.#place);
    this.#held =
      login.by === "page" ? await this.#ofPerson(login, signal) : await this.#ofJob(login, signal);
    return this.#held;
  }

  #ofJob(login: Exclude<BoxLogin, PersonLogin>, signal: AbortSignal): Promise<Token> {
    const grants = new Grants(this.#place, login, this.#machine);
    return login.by === "key"
      ? grants.byKey(login, signal)
      : grants.byCredentials(login.subject, signal);
  }

  async #ofPerson(login: PersonLogin, signal: AbortSignal): Promise<Token> {
    if (this.#isGood(login)) return login;
    return this.#machine.inTurn(loginName(this.#place.url), () => this.#traded(signal), signal);
  }

  /** Reads the login anew: while this process waited for its turn another one may have traded. */
  async #traded(signal: AbortSignal): Promise<Token> {
    const login = await loadLogin(this.#machine.secrets, this.#place);
    if (login.by !== "page") return this.#ofJob(login, signal);
    if (this.#isGood(login)) return login;
    const patient = outlasting(signal);
    try {
      return await this.#trade(login, patient.signal);
    } catch (error) {
      if (!hasCode(error, "auth.login-expired")) throw error;
      return await this.#tradedElsewhere(login, error, signal);
    } finally {
      patient.end();
    }
  }

  async #trade(login: PersonLogin, signal: AbortSignal): Promise<Token> {
    const granted = await new Grants(this.#place, login, this.#machine).refresh(
      login.refreshToken,
      signal,
    );
    const next = personLogin(login, granted, login.refreshToken);
    await keepLogin(this.#machine.secrets, this.#place.url, next);
    return next;
  }

  /** Box did not take the refresh token. It is dead only when nobody has put another one in its place. */
  async #tradedElsewhere(
    spent: PersonLogin,
    refusal: ExhibitError,
    signal: AbortSignal,
  ): Promise<Token> {
    for (const afterMs of readAgainAfterMs) {
      await pause(afterMs, undefined, { signal });
      const login = await loadLogin(this.#machine.secrets, this.#place);
      if (login.by !== "page") return this.#ofJob(login, signal);
      if (login.refreshToken !== spent.refreshToken) {
        return this.#isGood(login) ? login : this.#trade(login, signal);
      }
    }
    throw refusal;
  }

  #isGood({ accessToken, until }: Token): boolean {
    return accessToken !== this.#refused && until - spareMs > this.#machine.clock.now().getTime();
  }
}

/** What is kept of a person's login with what Box has given. */
export function personLogin(
  { clientId, clientSecret }: Pick<PersonLogin, "clientId" | "clientSecret">,
  { accessToken, refreshToken, until }: Granted,
  refreshTokenBefore: string,
): PersonLogin {
  return {
    by: "page",
    clientId,
    clientSecret,
    refreshToken: refreshToken ?? refreshTokenBefore,
    accessToken,
    until,
  };
}

/** A signal that is given some seconds after `signal`: what Box has answered by then is not lost. */
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
