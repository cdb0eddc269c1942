import { ExhibitError } from "../../../evidence/errors.ts";
import { identitySchema, type Identity } from "../../../evidence/identity.ts";
import type {
  OfficerSignIn,
  SignInOffer,
  SignInWay,
} from "../../../evidence/ports/officer-sign-in.ts";
import { newPrivateJwk, publicJwkSchema, seal, signingKey } from "../../../evidence/seal.ts";
import { serverAddress } from "../../../evidence/web-address.ts";
import { identitiesPath } from "../../../protocol/accounts.ts";
import { keyProofType, ownKeysPath, type KeyProof } from "../../../protocol/keys.ts";
import { certificateChain } from "../../certificate-chain.ts";
import { probeSecrets } from "../../probe-secrets.ts";
import { askServer, type KnownServer } from "../ask-server.ts";
import { endAtServer } from "../enrolment.ts";
import { callServer, type Call } from "../http.ts";
import { findIdentity, keepIdentity, type KeptIdentity } from "../kept-identity.ts";
import type { SessionMachine } from "../session.ts";
import { endOfficerLogin } from "./end-login.ts";
import { keepTokens, loginCommand, tokensName } from "./kept-tokens.ts";
import { examineSignIn } from "./examine.ts";
import { newTokens } from "./officer-tokens.ts";
import { grantedOnPage } from "./on-page.ts";
import { Provider, type Granted } from "./provider.ts";

/** Signs officers in at exhibit servers. `waitMs` is how long a person has on the page, 5 minutes unless a test says otherwise. */
export function signInByProvider(machine: SessionMachine, waitMs?: number): OfficerSignIn {
  return {
    offer: (url, signal) => offer(serverAddress(url), machine, signal),
    signIn: (url, serverKey, way, signal) =>
      signIn(serverAddress(url), serverKey, way, machine, waitMs, signal),
    examine: (url, showPage, signal) =>
      examineSignIn(serverAddress(url), showPage, machine, signal),
  };
}

async function offer(
  url: string,
  machine: SessionMachine,
  signal: AbortSignal,
): Promise<SignInOffer> {
  const pin = (await findIdentity(machine.secrets, url))?.serverThumbprint;
  const route = machine.network.route(url);
  const { statement } = await askServer(url, pin, route, machine.clock, signal);
  const chain = await certificateChain(url, route, signal);
  const { provider, thumbprint } = statement;
  return {
    serverKey: thumbprint,
    isPinned: pin !== undefined,
    isPublic: chain?.isPublic === true,
    provider: provider && { issuer: provider.issuer },
  };
}

async function signIn(
  url: string,
  serverKey: string,
  way: SignInWay,
  machine: SessionMachine,
  waitMs: number | undefined,
  signal: AbortSignal,
): Promise<void> {
  const { secrets, network, clock } = machine;
  const known = await askServer(url, serverKey, network.route(url), clock, signal);
  const { provider: stated } = known.statement;
  if (stated === undefined) {
    throw new ExhibitError("policy.unsupported", `${url} has no sign-in service of a force.`, {
      hint: "Everybody enrols there by an invitation: ask its administrator for one.",
    });
  }
  await probeSecrets(secrets);
  const provider = new Provider(stated, machine, loginCommand(url));
  const granted = await (way.by === "page"
    ? grantedOnPage(url, provider, way.showPage, waitMs, signal)
    : provider.byDevice(way.showCode, signal));
  const { refreshToken } = granted;
  if (refreshToken === undefined) throw notLasting(url);

  const me = await whoIs(url, granted, machine, signal);
  const privateJwk = await newPrivateJwk();
  await registerKey(known, await signingKey(privateJwk), me, granted, machine, signal);
  const before = await findIdentity(secrets, url);
  if (before !== undefined) {
    // What takes its place is ready. Where the old one cannot be ended now, the new one stands all the same.
    const keepGrant = before.by === "provider" && before.clientId === me.id;
    const ending = keepGrant
      ? endOfficerLogin(url, before, machine, signal, { keepGrant })
      : endAtServer(url, before, machine, signal);
    await ending.catch(() => undefined);
  }
  const kept: KeptIdentity = {
    by: "provider",
    clientId: me.id,
    key: { ...publicJwkSchema.strip().parse(privateJwk), d: privateJwk.d ?? "" },
    serverThumbprint: known.thumbprint,
    provider: stated,
  };
  const keep = async (): Promise<void> => {
    await keepTokens(secrets, url, newTokens(granted, refreshToken));
    await keepIdentity(secrets, url, kept);
  };
  // In turn, so that a process that trades the old login's token does not put it back over this one.
  await machine.inTurn(tokensName(url), keep, signal);
}

async function whoIs(
  url: string,
  granted: Granted,
  machine: SessionMachine,
  signal: AbortSignal,
): Promise<Identity> {
  const call = { method: "GET", path: `${identitiesPath}/me` } as const;
  return identitySchema.parse(await callAs(url, granted, call, machine, signal));
}

/** Proves to the server that this machine has the key, and has it sign for the officer. */
async function registerKey(
  { statement, clockOffsetMs }: KnownServer,
  key: Awaited<ReturnType<typeof signingKey>>,
  me: Identity,
  granted: Granted,
  machine: SessionMachine,
  signal: AbortSignal,
): Promise<void> {
  const proof: KeyProof = {
    schema: keyProofType,
    identity: me.id,
    server: statement.publicUrl,
    at: new Date(machine.clock.now().getTime() - clockOffsetMs).toISOString(),
  };
  const body = { key: key.publicJwk, proof: await seal(proof, keyProofType, key) };
  const call = { method: "POST", path: ownKeysPath, body } as const;
  await callAs(statement.publicUrl, granted, call, machine, signal);
}

async function callAs(
  url: string,
  { accessToken }: Granted,
  call: Call,
  { network }: SessionMachine,
  signal: AbortSignal,
): Promise<unknown> {
  const headers = { authorization: `Bearer ${accessToken}` };
  return (await callServer(url, network.route(url), call, headers, signal)).body;
}

function notLasting(url: string): ExhibitError {
  return new ExhibitError(
    "auth.app-refused",
    "The force's sign-in service gave no way of staying signed in.",
    {
      hint: `The administrator must let the application have the scope offline_access (in Entra ID: API permissions > Microsoft Graph > offline_access). Then: ${loginCommand(url)}`,
    },
  );
}
