import { randomState } from "openid-client";
import { ExhibitError, hasCode } from "../../../evidence/errors.ts";
import type { LoginEnd, Proving, SignIn, SignInPlace } from "../../../evidence/ports/sign-in.ts";
import { probeSecrets } from "../../probe-secrets.ts";
import { openCallback, type CallbackPlace } from "../../sign-in/callback.ts";
import { signedIn } from "./account.ts";
import { keyLogin } from "./assertion.ts";
import { boxTokens, personLogin, type BoxMachine } from "./box-tokens.ts";
import { Grants } from "./grants.ts";
import {
  findLogin,
  forgetLogin,
  keepLogin,
  loginCommand,
  loginName,
  type BoxLogin,
  type PersonLogin,
} from "./kept-login.ts";

/** Signs this machine in at Box. `waitMs` is how long a person has on Box's page, 5 minutes unless a test says otherwise. */
export function signInAtBox(machine: BoxMachine, waitMs?: number): SignIn {
  return {
    async signIn(place, proving, signal) {
      await probeSecrets(machine.secrets);
      const login = await prove(place, proving, machine, waitMs, signal);
      // In turn, so that a process that trades the old login's token does not put it back over this one.
      const keep = (): Promise<void> => keepLogin(machine.secrets, place.url, login);
      await machine.inTurn(loginName(place.url), keep, signal);
    },
    signedIn: (place, signal) => signedIn(place, boxTokens(place, machine), machine, signal),
    signOut: (place, signal) =>
      machine.inTurn(loginName(place.url), () => signOut(place, machine, signal), signal),
  };
}

/** The login to keep, after Box has taken it. */
async function prove(
  place: SignInPlace,
  proving: Proving,
  machine: BoxMachine,
  waitMs: number | undefined,
  signal: AbortSignal,
): Promise<BoxLogin> {
  if (proving.by === "page") return proveOnPage(place, proving, machine, waitMs, signal);
  if (proving.by === "key") {
    const login = keyLogin(proving.settings, proving.userId);
    await new Grants(place, login, machine).byKey(login, signal);
    return login;
  }
  const { application, subject } = proving;
  await new Grants(place, application, machine).byCredentials(subject, signal);
  const { clientId, clientSecret } = application;
  return { by: "credentials", clientId, clientSecret, subject };
}

async function proveOnPage(
  place: SignInPlace,
  { application, showPage }: Extract<Proving, { by: "page" }>,
  machine: BoxMachine,
  waitMs: number | undefined,
  signal: AbortSignal,
): Promise<BoxLogin> {
  const grants = new Grants(place, application, machine);
  const state = randomState();
  const callback = await openCallback(callbackAt(place), state, waitMs);
  try {
    const { url, verifier } = await grants.page(callback.redirectUri, state);
    showPage(url);
    const answered = await callback.answer(signal);
    if (!answered.searchParams.has("code")) throw denied(place);
    const granted = await grants.redeem(answered, state, verifier, signal);
    if (granted.refreshToken !== undefined) {
      return personLogin(application, granted, granted.refreshToken);
    }
    throw new ExhibitError("auth.app-refused", "Box gave no way of staying signed in.", {
      hint: 'The application must be one for "User Authentication (OAuth 2.0)". Check it in Box\'s developer console.',
    });
  } finally {
    callback.close();
  }
}

/** In Box's developer console the application has this redirect URI. */
export function callbackAt(place: SignInPlace): CallbackPlace {
  return { who: "Box", again: loginCommand(place), registered: "http://127.0.0.1/callback" };
}

function denied(place: SignInPlace): ExhibitError {
  return new ExhibitError("auth.sign-in-denied", "The sign-in was refused on Box's page.", {
    hint: `Allow the access there, or ask your administrator whether Box lets you use this application; then: ${loginCommand(place)}`,
  });
}

async function signOut(
  place: SignInPlace,
  machine: BoxMachine,
  signal: AbortSignal,
): Promise<LoginEnd> {
  const login = await findLogin(machine.secrets, place.url);
  const end =
    login?.by === "page"
      ? await endAtBox(place, login, machine, signal)
      : login === undefined
        ? "none"
        : "ended";
  // What cannot be read is forgotten, too.
  await forgetLogin(machine.secrets, place.url);
  return end;
}

async function endAtBox(
  place: SignInPlace,
  login: PersonLogin,
  machine: BoxMachine,
  signal: AbortSignal,
): Promise<LoginEnd> {
  try {
    await new Grants(place, login, machine).revoke(login.refreshToken, signal);
    return "ended";
  } catch (error) {
    // A login that Box does not take any more needs no ending.
    if (hasCode(error, "auth.login-expired")) return "ended";
    // Box refused the application, not the login: to keep it here would help nobody.
    if (hasCode(error, "auth.app-refused")) return "forgotten";
    throw error;
  }
}
