import { ExhibitError, hasCode } from "../../evidence/errors.ts";
import { parseInvitationCode } from "../../evidence/invitation-code.ts";
import type { Enrolment } from "../../evidence/ports/accounts.ts";
import type { LoginEnd } from "../../evidence/ports/sign-in.ts";
import { newPrivateJwk, publicJwkSchema, signingKey } from "../../evidence/seal.ts";
import { serverAddress } from "../../evidence/web-address.ts";
import { identitiesPath, identityOfKey } from "../../protocol/accounts.ts";
import { parsed, send } from "../control-call.ts";
import { findPreparedKey, prepareKey } from "../prepared-key.ts";
import { probeSecrets } from "../probe-secrets.ts";
import { askServer } from "./ask-server.ts";
import { failureOf } from "./http.ts";
import {
  findIdentity,
  forgetIdentity,
  keepIdentity,
  type Invited,
  type KeptIdentity,
} from "./kept-identity.ts";
import { endOfficerLogin, isOver } from "./provider/end-login.ts";
import { openSession, type SessionMachine } from "./session.ts";
import { register } from "./sign-in.ts";

/** Enrolment at exhibit servers, with the secrets of this machine. */
export function enrolmentAtServers(machine: SessionMachine): Enrolment {
  return {
    enrol: (url, invitation, signal) => enrol(url, invitation, machine, signal),
    prepareKey: async () => (await prepareKey(machine.secrets)).publicJwk,
    serverKey: async (url) =>
      (await findIdentity(machine.secrets, serverAddress(url)))?.serverThumbprint,
    hasPreparedKey: async () => (await findPreparedKey(machine.secrets)) !== undefined,
    useKey: (url, serverKey, signal) => useKey(url, serverKey, machine, signal),
    leave: (url, signal) => leave(url, machine, signal),
  };
}

async function enrol(
  address: string,
  invitation: string,
  machine: SessionMachine,
  signal: AbortSignal,
): Promise<void> {
  const { secret, serverThumbprint } = parseInvitationCode(invitation);
  const url = serverAddress(address);
  const route = machine.network.route(url);
  const known = await askServer(url, serverThumbprint, route, machine.clock, signal);
  const { statement, thumbprint, retired } = known;
  await probeSecrets(machine.secrets);

  const before = await findIdentity(machine.secrets, url);
  const privateJwk = await newPrivateJwk();
  const registered = await register(statement, await signingKey(privateJwk), secret, route, signal);
  const kept: Invited = {
    by: "invitation",
    clientId: registered.client_id,
    key: { ...publicJwkSchema.strip().parse(privateJwk), d: privateJwk.d ?? "" },
    // That of the invitation, or the one that it has led to.
    serverThumbprint: thumbprint,
    ...(retired.length === 0 ? {} : { retiredServerKeys: [...retired] }),
    registration: {
      uri: registered.registration_client_uri,
      token: registered.registration_access_token,
    },
  };
  if (before !== undefined && before.by !== "invitation") {
    await endAtServer(url, before, machine, signal).catch(() => undefined);
  }
  try {
    await keepIdentity(machine.secrets, url, kept);
  } catch (error) {
    await unregister(url, kept, machine, signal);
    throw error;
  }
  // Its key is gone from this machine now, so nobody can use it any more: it should not stay enrolled. Where that cannot
  // be said to the server now, the new enrolment stands all the same.
  const isSameServer = [thumbprint, ...retired.map((old) => old.thumbprint)].includes(
    before?.serverThumbprint ?? "",
  );
  if (before?.by === "invitation" && isSameServer) {
    await unregister(url, before, machine, signal).catch(() => undefined);
  }
}

async function useKey(
  address: string,
  serverKey: string,
  machine: SessionMachine,
  signal: AbortSignal,
): Promise<void> {
  const url = serverAddress(address);
  const { secrets } = machine;
  const key = await findPreparedKey(secrets);
  if (key === undefined) {
    throw new ExhibitError("auth.required", `No key lies prepared in ${secrets.place}.`, {
      hint: "Make one: exhibit key create FILE.",
    });
  }
  const { thumbprint } = await signingKey(key);
  const clientId = identityOfKey(thumbprint);
  const before = await findIdentity(secrets, url);
  const kept: KeptIdentity = { by: "key", clientId, key, serverThumbprint: serverKey };
  await keepIdentity(secrets, url, kept);
  try {
    await (await openSession(url, machine, signal)).accessToken(signal);
  } catch (error) {
    if (before === undefined) await forgetIdentity(secrets, url);
    else await keepIdentity(secrets, url, before);
    throw hasCode(error, "auth.token-invalid") ? notEnrolled() : error;
  }
}

function notEnrolled(): ExhibitError {
  return new ExhibitError(
    "auth.identity-unknown",
    "The server does not know the key in this machine's key file.",
    {
      hint: "Its administrator enrols the public half, the file FILE.pub beside it: exhibit identity enrol FILE.pub --role partner --org NAME.",
    },
  );
}

async function leave(
  address: string,
  machine: SessionMachine,
  signal: AbortSignal,
): Promise<LoginEnd> {
  const url = serverAddress(address);
  const kept = await findIdentity(machine.secrets, url);
  if (kept === undefined) return "none";
  const route = machine.network.route(url);
  await askServer(url, kept.serverThumbprint, route, machine.clock, signal);
  const end = await endAtServer(url, kept, machine, signal);
  await forgetIdentity(machine.secrets, url);
  return end;
}

async function leaveWithKey(
  url: string,
  machine: SessionMachine,
  signal: AbortSignal,
): Promise<void> {
  const session = await openSession(url, machine, signal);
  try {
    await session.call({ method: "DELETE", path: `${identitiesPath}/me` }, signal);
  } catch (error) {
    // Who was shut out needs no leaving.
    if (!isOver(error)) throw error;
  }
}

/** Ends what this machine is at the server: its registration, its key, or an officer's login with this machine's key. */
export async function endAtServer(
  url: string,
  kept: KeptIdentity,
  machine: SessionMachine,
  signal: AbortSignal,
): Promise<LoginEnd> {
  if (kept.by === "provider") return endOfficerLogin(url, kept, machine, signal);
  if (kept.by === "invitation") await unregister(url, kept, machine, signal);
  else await leaveWithKey(url, machine, signal);
  return "ended";
}

/** Deletes a registration (RFC 7592). One that is gone already, or was revoked, is not an error. */
async function unregister(
  url: string,
  { registration }: Invited,
  machine: SessionMachine,
  signal: AbortSignal,
): Promise<void> {
  if (new URL(registration.uri).origin !== new URL(url).origin) {
    throw new ExhibitError("usage.invalid", "The registration lies at another server.", {
      hint: `Use ${new URL(registration.uri).origin} instead.`,
    });
  }
  const answer = await send(
    machine.network.route(url),
    {
      url: registration.uri,
      method: "DELETE",
      headers: { authorization: `Bearer ${registration.token}` },
      body: undefined,
    },
    signal,
  );
  if (answer.status < 300 || answer.status === 401 || answer.status === 404) return;
  throw failureOf(answer.status, parsed(answer.text, answer.headers["content-type"]), url);
}
