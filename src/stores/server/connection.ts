import type { Connection } from "../../evidence/ports/connection.ts";
import { accountsOf } from "./accounts.ts";
import { bundlesOf } from "./bundles.ts";
import { officerTokenEnd } from "./provider/officer-tokens.ts";
import { inboxOf } from "./inbox.ts";
import { registerOf } from "./register.ts";
import { casesOf } from "./cases.ts";
import { openSession, type SessionMachine } from "./session.ts";
import { sharingOf } from "./sharing.ts";
import { smokeRoomOf } from "./smoke.ts";
import { storeOf } from "./store.ts";

/** Opens an exhibit server with the identity that this machine has there. @throws as {@link openSession} */
export async function connectServer(
  name: string,
  url: string,
  machine: SessionMachine,
  signal: AbortSignal,
): Promise<Connection> {
  const session = await openSession(url, machine, signal);
  return {
    name,
    store: storeOf(session),
    register: registerOf(session),
    bundles: bundlesOf(session),
    signer: session.signer,
    login: session.provider && {
      issuer: session.provider.issuer,
      until: () => officerTokenEnd(session.url, machine),
    },
    clockOffsetMs: session.clockOffsetMs,
    sharing: sharingOf(session),
    accounts: accountsOf(session),
    cases: casesOf(session),
    inbox: inboxOf(session),
    smoke: smokeRoomOf(session),
    close: () => Promise.resolve(),
  };
}
