import { afterAll, beforeAll, beforeEach, describe, expect, it } from "@jest/globals";
import type { SignInWay } from "../../src/evidence/ports/officer-sign-in.ts";
import { accountsOf } from "../../src/stores/server/accounts.ts";
import { signInByProvider } from "../../src/stores/server/provider/sign-in.ts";
import { openSession, type Session } from "../../src/stores/server/session.ts";
import { signInAt } from "../support/force-person.ts";
import { startForceProvider, type ForceProvider } from "../support/force-provider.ts";
import { MovingClock } from "../support/moving-clock.ts";
import {
  asPerson,
  atPage,
  jones,
  resetProvider,
  sharedMachine,
  smith,
  type OfficerMachine,
} from "../support/officer-machine.ts";
import { soon, startServer, type TestServer } from "../support/server.ts";
import { believing } from "../support/sso-server.ts";

const clock = new MovingClock();
let provider: ForceProvider;
let server: TestServer;

beforeAll(async () => {
  provider = await startForceProvider();
  server = await startServer({ clock, deps: { sso: believing(provider, clock) } });
});
beforeEach(() => {
  clock.aheadMs = 0;
  resetProvider(provider);
});
afterAll(async () => {
  await server.stop();
  await provider.close();
});

async function signIn(machine: OfficerMachine, way: SignInWay, waitMs = 20_000): Promise<Session> {
  const key = server.deps.key.thumbprint;
  await signInByProvider(machine, waitMs).signIn(server.url, key, way, soon());
  return openSession(server.url, machine, soon());
}

/** The browser comes back with something else than the page gave. */
function cameBack(page: string, parameters: Record<string, string>): Promise<unknown> {
  const asked = new URL(page).searchParams;
  const back = new URL(asked.get("redirect_uri") ?? "");
  back.search = new URLSearchParams({ state: asked.get("state") ?? "", ...parameters }).toString();
  return fetch(back);
}

describe("a sign-in that goes wrong", () => {
  const rows: [string, string, string, SignInWay][] = [
    [
      "says no",
      "auth.sign-in-denied",
      "may use this",
      atPage((page) =>
        cameBack(page, { error: "access_denied", error_description: "Planted Name said no" }),
      ),
    ],
    [
      "is not assigned in Entra ID",
      "auth.sign-in-denied",
      "Users and groups",
      atPage((page) =>
        cameBack(page, { error: "access_denied", error_description: "AADSTS50105: Planted Name" }),
      ),
    ],
    [
      "comes with a code of nobody",
      "auth.sign-in-late",
      "Begin again",
      atPage((page) => cameBack(page, { code: "made-up" })),
    ],
    ["never comes back", "auth.sign-in-late", "five minutes", atPage(() => Promise.resolve())],
    [
      "comes back with another state",
      "auth.sign-in-late",
      "five minutes",
      atPage((page) => cameBack(page, { state: "other", code: "c" })),
    ],
    [
      "comes with the code of another sign-in",
      "auth.sign-in-late",
      "Begin again",
      atPage(async (page) => {
        // Somebody's own code, slipped into this sign-in: it was begun with another PKCE secret.
        const theirs = new URL(page);
        theirs.searchParams.set("code_challenge", "A".repeat(43));
        await signInAt(theirs.href, jones);
      }),
    ],
    [
      "comes with another nonce",
      "auth.sign-in-denied",
      "somebody sent you",
      atPage(async (page) => {
        const replayed = new URL(page);
        replayed.searchParams.set("nonce", "another");
        await signInAt(replayed.href, smith);
      }),
    ],
  ];

  it.each(rows)("%s: %s", async (_what, code, hint, way) => {
    const machine = sharedMachine(clock);
    const failure: unknown = await signIn(
      machine,
      way,
      hint === "five minutes" ? 500 : undefined,
    ).catch((error: unknown) => error);
    expect(failure).toMatchObject({ code });
    expect((failure as { hint?: string }).hint).toContain(hint);
    expect(JSON.stringify(failure)).not.toContain("Planted");
    expect([...machine.secrets.all()]).toEqual([]);
  });

  it("as nobody with a role keeps nothing, and says what to set", async () => {
    const machine = sharedMachine(clock);
    provider.accounts.set(jones, { oid: "c".repeat(36), isInTooMany: true });
    await expect(signIn(machine, asPerson(jones))).rejects.toMatchObject({
      code: "policy.groups-overage",
    });
    provider.accounts.set(jones, { oid: "c".repeat(36), groups: ["none"] });
    await expect(signIn(machine, asPerson(jones))).rejects.toMatchObject({
      code: "policy.no-role",
    });
    expect([...machine.secrets.all()]).toEqual([]);
  });

  it("at a provider that is down, or is another than the server says", async () => {
    provider.habits.discovery = { issuer: "https://idp.evil.example" };
    await expect(signIn(sharedMachine(clock), asPerson(smith))).rejects.toMatchObject({
      code: "unavailable.sign-in",
    });
  });

  it("at a server that is not the one whose key was agreed on", async () => {
    const other = signInByProvider(sharedMachine(clock));
    await expect(
      other.signIn(server.url, "A".repeat(43), asPerson(smith), soon()),
    ).rejects.toMatchObject({ code: "auth.server-key-changed" });
  });
});

describe("a code on another device", () => {
  const device = (shown: (page: string, code: string) => Promise<unknown>): SignInWay => ({
    by: "device",
    showCode: ({ page, code }) => void shown(page, code),
  });

  it("signs in where the force allows it", async () => {
    const way = device((page, code) => signInAt(`${page}?user_code=${code}`, smith));
    const session = await signIn(sharedMachine(clock), way);
    expect(await accountsOf(session).me(soon())).toMatchObject({ role: "officer" });
  });

  it.each([
    ["Conditional Access blocks it", { blocksDevices: true }, "AADSTS53003"],
    ["the provider has none", { hasDeviceFlow: false }, undefined],
  ])("is explained where %s", async (_why, habits, aadsts) => {
    Object.assign(provider.habits, habits);
    const failure: unknown = await signIn(
      sharedMachine(clock),
      device(() => Promise.resolve()),
    ).catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: "policy.device-flow-blocked" });
    expect(failure).toMatchObject({ hint: expect.stringContaining("browser") as unknown });
    if (aadsts !== undefined) expect(failure).toMatchObject({ facts: { aadsts } });
  });
});
