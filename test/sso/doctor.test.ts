import { afterAll, beforeAll, beforeEach, expect, it } from "@jest/globals";
import type { DoctorFinding } from "../../src/evidence/ports/doctor.ts";
import { signInByProvider } from "../../src/stores/server/provider/sign-in.ts";
import { signInAt } from "../support/force-person.ts";
import { groups, startForceProvider, type ForceProvider } from "../support/force-provider.ts";
import { MovingClock } from "../support/moving-clock.ts";
import { newMachine, soon, startServer, type TestServer } from "../support/server.ts";
import { believing } from "../support/sso-server.ts";

const smith = "planted.smith@force.example";
const clock = new MovingClock();
let provider: ForceProvider;
let server: TestServer;
/** What the server was told of the provider; a row may have it wrong. */
let told: Partial<{ issuer: string; clientId: string; audience: string }>;

beforeAll(async () => {
  provider = await startForceProvider();
  const sso = believing(provider);
  server = await startServer({
    deps: {
      sso: {
        ...sso,
        get issuer() {
          return told.issuer ?? sso.issuer;
        },
        get clientId() {
          return told.clientId ?? sso.clientId;
        },
        get audience() {
          return told.audience ?? sso.audience;
        },
      },
    },
  });
});
beforeEach(() => {
  told = {};
  clock.aheadMs = 0;
  const oid = "aaaaaaaa-1111-4222-8333-444444444444";
  provider.accounts.set(smith, { oid, groups: [groups.officers] });
  Object.assign(provider.habits, {
    blocksDevices: false,
    isDown: false,
    discovery: {},
    claims: {},
  });
});
afterAll(async () => {
  await server.stop();
  await provider.close();
});

async function examine(): Promise<readonly DoctorFinding[]> {
  const officers = signInByProvider(newMachine(clock));
  return officers.examine(server.url, (page) => void signInAt(page, smith), soon());
}

it("finds nothing amiss where nothing is, and keeps nothing", async () => {
  const findings = await examine();
  expect(findings.filter(({ verdict }) => verdict === "will-not-work")).toEqual([]);
  expect(findings.map(({ id }) => id)).toEqual(
    expect.arrayContaining([
      "discovery",
      "tls",
      "clock",
      "loopback",
      "application",
      "claims",
      "role",
    ]),
  );
  expect(findings.find(({ id }) => id === "role")?.words).toContain("officer of Example Police");
  expect(JSON.stringify(findings)).not.toMatch(/planted|eyJ/);
  const plain = await startServer();
  const none = await signInByProvider(newMachine()).examine(plain.url, undefined, soon());
  expect(none).toMatchObject([{ id: "provider", verdict: "will-not-work" }]);
  await plain.stop();
});

const account = (more: object) => () => {
  const { oid } = provider.accounts.get(smith) ?? { oid: "" };
  provider.accounts.set(smith, { oid, ...more });
};

const rows: [string, string, string, () => void][] = [
  ["the provider is down", "discovery", "connection", () => (provider.habits.isDown = true)],
  [
    "the provider is another",
    "discovery",
    "TENANT_ID/v2.0",
    () => (provider.habits.discovery = { issuer: "https://idp.evil.example" }),
  ],
  ["the clock is wrong", "clock", "date and time", () => (clock.aheadMs = 180_000)],
  [
    "the application is unknown",
    "application",
    "Mobile and desktop applications",
    () => (told.clientId = "11111111-92c4-4a57-8a5e-0c2b6c1d4f90"),
  ],
  [
    "the audience is another",
    "role",
    "--oidc-audience must be 7d3f0b1e",
    () => (told.audience = "api://something"),
  ],
  ["there are no groups", "groups", "Add groups claim", account({})],
  [
    "the person is in too many",
    "groups-overage",
    "ApplicationGroup",
    account({ isInTooMany: true }),
  ],
  ["no group has a role", "role", "role map", account({ groups: ["none"] })],
  [
    "tokens carry an ID token's claims",
    "role",
    "/.default",
    () => (provider.habits.claims = { nonce: "n" }),
  ],
];

it.each(rows)("says what to set where %s: %s, %s", async (_what, id, remedy, make) => {
  make();
  const found = (await examine()).find((one) => one.id === id);
  expect(found).toMatchObject({ verdict: "will-not-work" });
  expect(found?.remedy).toContain(remedy);
});

it("says of a code on another device whether it is allowed", async () => {
  const [open, blocked] = [
    await examine(),
    ((provider.habits.blocksDevices = true), await examine()),
  ];
  const of = (findings: readonly DoctorFinding[]) =>
    findings.find(({ id }) => id === "device-flow");
  expect(of(open)?.verdict).toBe("unknown");
  expect(of(blocked)).toMatchObject({
    verdict: "ok",
    words: expect.stringContaining("53003") as unknown,
  });
});
