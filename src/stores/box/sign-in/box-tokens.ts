import type { Secrets } from "../../../evidence/ports/secrets.ts";
import type { SignInPlace } from "../../../evidence/ports/sign-in.ts";
import { SharedToken, type IsGood, type Token, type Tokens } from "../../sign-in/shared-token.ts";
import { traded, type InTurn } from "../../sign-in/trade.ts";
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
  readonly inTurn: InTurn;
}

/** A token is replaced this long before its end. */
const spareMs = 60_000;

/**
 * Tokens of the login that this machine keeps for a store. All processes of the machine share a person's login: one of them
 * trades the refresh token, and writes the new pair down before anybody uses it.
 */
export function boxTokens(place: SignInPlace, machine: BoxMachine): Tokens {
  return new SharedToken(
    (isGood, signal) => tokenOf(place, machine, isGood, signal),
    ({ until }) => until - spareMs > machine.clock.now().getTime(),
  );
}

async function tokenOf(
  place: SignInPlace,
  machine: BoxMachine,
  isGood: IsGood,
  signal: AbortSignal,
): Promise<Token> {
  const login = await loadLogin(machine.secrets, place);
  if (login.by !== "page") return ofJob(place, login, machine, signal);
  if (isGood(login)) return login;
  const { secrets } = machine;
  const newest = await traded<PersonLogin>(
    {
      name: loginName(place.url),
      inTurn: machine.inTurn,
      async load() {
        const kept = await loadLogin(secrets, place);
        return kept.by === "page" ? kept : undefined;
      },
      async trade(spent, stop) {
        const granted = await new Grants(place, spent, machine).refresh(spent.refreshToken, stop);
        return personLogin(spent, granted, spent.refreshToken);
      },
      keep: (next) => keepLogin(secrets, place.url, next),
    },
    isGood,
    signal,
  );
  // A job's login was put in its place meanwhile.
  return newest ?? tokenOf(place, machine, isGood, signal);
}

function ofJob(
  place: SignInPlace,
  login: Exclude<BoxLogin, PersonLogin>,
  machine: BoxMachine,
  signal: AbortSignal,
): Promise<Token> {
  const grants = new Grants(place, login, machine);
  return login.by === "key"
    ? grants.byKey(login, signal)
    : grants.byCredentials(login.subject, signal);
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
