import { afterAll, beforeAll, beforeEach, describe, expect, it } from "@jest/globals";
import { chromium, type Browser } from "playwright-core";
import type { SignInWay } from "../../src/evidence/ports/officer-sign-in.ts";
import { mostKeys } from "../../src/protocol/keys.ts";
import { accountsOf } from "../../src/stores/server/accounts.ts";
import { enrolmentAtServers } from "../../src/stores/server/enrolment.ts";
import { tokensName, type ProviderTokens } from "../../src/stores/server/provider/kept-tokens.ts";
import { signInByProvider } from "../../src/stores/server/provider/sign-in.ts";
import { openSession, type Session } from "../../src/stores/server/session.ts";
import { makeClient, upload, uploadOf } from "../support/client.ts";
import { chromiumPath } from "../support/chromium.ts";
import { signInAt } from "../support/force-person.ts";
import { groups, startForceProvider, type ForceProvider } from "../support/force-provider.ts";
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
let browser: Browser;

beforeAll(async () => {
  provider = await startForceProvider();
  server = await startServer({ clock, deps: { sso: believing(provider, clock) } });
  browser = await chromium.launch({ executablePath: chromiumPath(), args: ["--no-sandbox"] });
});
beforeEach(() => {
  clock.aheadMs = 0;
  resetProvider(provider);
});
afterAll(async () => {
  await browser.close();
  await server.stop();
  await provider.close();
});

async function signIn(machine: OfficerMachine, way: SignInWay, waitMs = 20_000): Promise<Session> {
  const key = server.deps.key.thumbprint;
  await signInByProvider(machine, waitMs).signIn(server.url, key, way, soon());
  return openSession(server.url, machine, soon());
}

function kept(machine: OfficerMachine): ProviderTokens {
  return JSON.parse(machine.secrets.all().get(tokensName(server.url)) ?? "{}") as ProviderTokens;
}

it("takes the place of a login of the same browser, and goes on when its own token ends", async () => {
  const machine = sharedMachine(clock);
  const jar = new Map<string, string>();
  for (let login = 1; login <= 2; login += 1) {
    const session = await signIn(
      machine,
      atPage((page) => signInAt(page, smith, jar)),
    );
    clock.aheadMs = 3_600_000;
    // At this provider all tokens of one browser's sign-in hang together: revoking one ends them all.
    expect(await session.accessToken(soon())).toEqual(expect.any(String));
    clock.aheadMs = 0;
  }
  expect(await enrolmentAtServers(machine).leave(server.url, soon())).toBe("ended");
});

describe("an officer", () => {
  it("signs in on the provider's page in a real browser, and logs out everywhere", async () => {
    const machine = sharedMachine(clock);
    const page = await browser.newPage();
    const walk = async (url: string): Promise<void> => {
      await page.goto(url);
      await page.fill("input[name=login]", smith);
      await page.fill("input[name=password]", "any");
      await page.click("button[type=submit]");
      await page.click("button[type=submit]");
      await page.waitForURL(/^http:\/\/localhost/);
    };
    let walked: Promise<void> | undefined;
    const session = await signIn(
      machine,
      atPage((url) => (walked = walk(url))),
    );
    await walked;
    expect(await page.textContent("body")).toContain("go back to the terminal");
    await page.close();
    const me = await accountsOf(session).me(soon());
    expect(me).toMatchObject({ role: "officer", organisation: "Example Police" });
    expect(me.enrolledBy).toBe("provider");
    const { refreshToken, accessToken } = kept(machine);
    expect(await enrolmentAtServers(machine).leave(server.url, soon())).toBe("ended");
    expect([...machine.secrets.all()]).toEqual([]);
    const keys = await server.deps.database.selectFrom("identity_keys").selectAll().execute();
    expect(keys.map(({ revoked_at }) => revoked_at)).not.toContain(null);
    const again = sharedMachine(clock);
    await signIn(again, asPerson(smith));
    await again.secrets.set(
      tokensName(server.url),
      JSON.stringify({ refreshToken, accessToken, endsAt: 0, until: 0 }),
    );
    const over = await openSession(server.url, again, soon());
    await expect(over.accessToken(soon())).rejects.toMatchObject({ code: "auth.login-expired" });
    for (const secret of [refreshToken, accessToken, smith]) {
      expect(server.log.join("\n")).not.toContain(secret);
    }
  });

  it.each([
    ["invalid_grant", "ended"],
    ["invalid_client", "forgotten"],
    ["unauthorized_client", "forgotten"],
  ])(
    "who logs out where the provider answers %s is told that the login is %s",
    async (error, end) => {
      const machine = sharedMachine(clock);
      await signIn(machine, asPerson(smith));
      provider.habits.endsNothing = error;
      expect(await enrolmentAtServers(machine).leave(server.url, soon())).toBe(end);
      expect([...machine.secrets.all()]).toEqual([]);
      const keys = await server.deps.database.selectFrom("identity_keys").selectAll().execute();
      expect(keys.at(-1)?.revoked_at).toEqual(expect.any(String));
    },
  );

  it("has several machines, whose records count as an enrolled partner's do, until one is logged out", async () => {
    const [office, car] = [sharedMachine(clock), sharedMachine(clock)];
    await signIn(office, asPerson(smith));
    await signIn(car, asPerson(smith));
    const results = [];
    for (const [index, machine] of [office, car].entries()) {
      const client = await makeClient(server.url, machine);
      const file = await client.write(`statement-${index}.txt`, `statement ${index}`);
      const big = await client.write(`big-${index}.bin`, Buffer.alloc(300_000, index + 1));
      const done = await upload(client.deps, uploadOf([file, big]), soon());
      expect([done.failed, done.exhibits.length]).toEqual([[], 2]);
      const { register, signer } = await client.deps.connect(undefined);
      for await (const entry of register.list("01AB1234526", soon())) {
        const { record } = await register.read(entry, soon());
        results.push(record.uploader.thumbprint === signer.thumbprint);
      }
      await client.close();
    }
    expect(results.filter(Boolean).length).toBe(4);
    const car2 = await makeClient(server.url, car);
    const identity = car.secrets.all().get(`identity:${server.url}`) ?? "";
    const tokens = car.secrets.all().get(tokensName(server.url)) ?? "";
    await enrolmentAtServers(car).leave(server.url, soon());
    // Somebody has a copy of what the car had: neither its key nor its sign-in is good any more.
    await car.secrets.set(`identity:${server.url}`, identity);
    await car.secrets.set(tokensName(server.url), tokens);
    const file = await car2.write("late.txt", "too late");
    const late = await upload(car2.deps, uploadOf([file]), soon());
    expect(late.failed.map(({ code }) => code)).toEqual(["integrity.signature"]);
    await car2.close();
  });

  it("registers no key but its own, and proves that it has it", async () => {
    const one = await signIn(sharedMachine(clock), asPerson(smith));
    const partner = await server.enrol("partner");
    const call = { method: "POST", path: "/v1/identities/me/keys" } as const;
    const body = { key: one.signer.publicJwk, proof: { payload: "e30", signatures: [] } };
    await expect(one.call({ ...call, body }, soon())).rejects.toMatchObject({
      code: "usage.invalid",
    });
    const signatures = [{ protected: "e30", signature: "AAAA" }];
    const proof = { payload: "e30", signatures };
    await expect(one.call({ ...call, body: { ...body, proof } }, soon())).rejects.toMatchObject({
      code: "integrity.signature",
    });
    await expect(
      partner.session.call({ ...call, body: { ...body, proof } }, soon()),
    ).rejects.toMatchObject({ code: "policy.not-permitted" });
  });

  it("ends the key that was registered first when one comes that is too many", async () => {
    const { database } = server.deps;
    const first = await signIn(sharedMachine(clock), asPerson(smith));
    const firstKey = first.signer.thumbprint;
    const row = await database
      .selectFrom("identity_keys")
      .selectAll()
      .where("thumbprint", "=", firstKey)
      .executeTakeFirstOrThrow();
    const mine = async (): Promise<string[]> => {
      const keys = database
        .selectFrom("identity_keys")
        .select("thumbprint")
        .where("identity_id", "=", row.identity_id)
        .where("revoked_at", "is", null);
      return (await keys.execute()).map(({ thumbprint }) => thumbprint);
    };
    const there = (await mine()).length;
    const later = (index: number): string =>
      new Date(Date.parse(row.added_at) - 60_000 + index).toISOString();
    await database
      .updateTable("identity_keys")
      .set({ added_at: later(0) })
      .where("thumbprint", "=", firstKey)
      .execute();
    for (let index = there; index < mostKeys; index += 1) {
      const values = { ...row, thumbprint: `machine-${index}`, added_at: later(index) };
      await database.insertInto("identity_keys").values(values).execute();
    }
    const newest = await signIn(sharedMachine(clock), asPerson(smith));
    const left = await mine();
    expect(left).toHaveLength(mostKeys);
    expect(left).toContain(newest.signer.thumbprint);
    expect(left).toContain(`machine-${mostKeys - 1}`);
    expect(left).not.toContain(firstKey);
  });

  it("shares one pair of tokens with all processes of a machine, and trades each once", async () => {
    const machine = sharedMachine(clock);
    await signIn(machine, asPerson(smith));
    const before = kept(machine);
    await clock.later(2 * 3_600_000, async () => {
      const sessions = await Promise.all(
        Array.from({ length: 5 }, () => openSession(server.url, machine, soon())),
      );
      const traded = provider.asked.filter((path) => path.endsWith("/token")).length;
      const got = await Promise.all(sessions.map((session) => session.accessToken(soon())));
      expect(new Set(got).size).toBe(1);
      expect(got[0]).not.toBe(before.accessToken);
      expect(provider.asked.filter((path) => path.endsWith("/token")).length).toBe(traded + 1);
    });
    expect(kept(machine).refreshToken).not.toBe(before.refreshToken);
  });

  it("goes on uploading over the end of a token, also while the provider changes its keys", async () => {
    provider.habits.accessTokenSeconds = 4;
    const machine = sharedMachine(clock);
    await signIn(machine, asPerson(smith));
    const client = await makeClient(server.url, machine);
    const file = await client.write("long.bin", Buffer.alloc(600_000, 7));
    const tokens = new Set<string>();
    client.onConnect = ({ store }) => {
      store.beforePart = async () => {
        tokens.add(kept(machine).accessToken);
        if (tokens.size === 1) await provider.rotate();
        // Time itself: the provider, which is no part of ours, ends tokens by its own clock.
        await new Promise((resolve) => setTimeout(resolve, 450));
      };
    };
    const done = await upload(client.deps, uploadOf([file], { concurrency: 1 }), soon());
    expect([done.failed, done.exhibits.length]).toEqual([[], 1]);
    expect(tokens.size).toBeGreaterThan(1);
    await client.close();
  });

  it("who is disabled at the provider has nothing after one token's life, and is told in mid-upload; after a login the upload goes on", async () => {
    const machine = sharedMachine(clock);
    await signIn(machine, asPerson(jones));
    const client = await makeClient(server.url, machine);
    const file = await client.write("leaver.bin", Buffer.alloc(400_000, 9));
    let parts = 0;
    client.onConnect = ({ store }) => {
      store.beforePart = () => {
        parts += 1;
        if (parts !== 3) return;
        provider.accounts.set(jones, { oid: "b".repeat(8), isDisabled: true });
        clock.aheadMs += 3_700_000;
      };
    };
    const broken: unknown = await upload(
      client.deps,
      uploadOf([file], { concurrency: 1 }),
      soon(),
    ).catch((error: unknown) => error);
    expect(broken).toMatchObject({
      code: "auth.login-expired",
      hint: expect.stringContaining(`exhibit login ${server.url}`) as unknown,
    });
    clock.aheadMs = 0;
    client.onConnect = undefined;
    provider.accounts.set(jones, {
      oid: "bbbbbbbb-1111-4222-8333-444444444444",
      groups: [groups.officers],
    });
    await signIn(machine, asPerson(jones));
    const { store } = client;
    const done = await upload(client.deps, uploadOf([file], { concurrency: 1 }), soon());
    expect([done.failed, done.exhibits.length]).toEqual([[], 1]);
    expect(client.store).not.toBe(store);
    await client.close();
  });
});
