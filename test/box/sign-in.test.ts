import { once } from "node:events";
import { request } from "node:http";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "@jest/globals";
import type { Proving, SignInPlace } from "../../src/evidence/ports/sign-in.ts";
import { boxTokens } from "../../src/stores/box/sign-in/box-tokens.ts";
import { openCallback } from "../../src/stores/box/sign-in/callback.ts";
import { loginName } from "../../src/stores/box/sign-in/kept-login.ts";
import { signInAtBox } from "../../src/stores/box/sign-in/sign-in.ts";
import {
  boxUrl,
  pressButton,
  signInOnPage,
  takeNewestTwo,
  tokenRequests,
  type OnPage,
} from "../support/box-person.ts";
import { startBox, type Box } from "../support/box/box.ts";
import { gatewayPage, rateLimited } from "../support/box/http/faults.ts";
import type { MemorySecrets } from "../support/memory-secrets.ts";
import { MovingClock } from "../support/moving-clock.ts";
import { newMachine, soon } from "../support/server.ts";

const minute = 60_000;
let box: Box;
let place: SignInPlace;
beforeAll(async () => {
  box = await startBox();
});
beforeEach(() => {
  place = { name: "box", url: boxUrl(box) };
  box.clock.aheadMs = 0;
  box.world.tokens.revokeAll(box.users.officer);
});
afterAll(async () => {
  expect([box.crashes, box.faults.pending]).toEqual([[], 0]);
  await box.close();
});

function fresh(clock = new MovingClock()) {
  const machine = { ...newMachine(clock), clock };
  return { ...machine, secrets: machine.secrets as MemorySecrets };
}
type TestMachine = ReturnType<typeof fresh>;

/** The kept document, or nothing. */
function kept({ secrets }: TestMachine): Record<string, string> | undefined {
  const text = secrets.all().get(loginName(place.url));
  return text === undefined ? undefined : (JSON.parse(text) as Record<string, string>);
}

/** A person's way of signing in; `atPage` is what becomes of the page's address. */
function byPage(atPage: (page: string) => unknown, application = box.app): Proving {
  return { by: "page", application, showPage: (page) => void atPage(page) };
}

async function signedInMachine(done: OnPage = {}, clock?: MovingClock): Promise<TestMachine> {
  const machine = fresh(clock);
  const proving = byPage((page) => signInOnPage(page, done));
  await signInAtBox(machine).signIn(place, proving, soon());
  return machine;
}

describe("a person", () => {
  it("signs in on Box's page, with state and PKCE, and is asked for nothing afterwards", async () => {
    const machine = fresh();
    let shown = "";
    const proving = byPage((page) => signInOnPage((shown = page)));
    await signInAtBox(machine).signIn(place, proving, soon());
    const page = new URL(shown);
    expect(`${page.origin}${page.pathname}`).toBe(`${box.authorizeUrl}/api/oauth2/authorize`);
    expect(Object.fromEntries(page.searchParams)).toEqual({
      response_type: "code",
      client_id: box.app.clientId,
      redirect_uri: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+\/callback$/) as unknown,
      state: expect.stringMatching(/^[\w-]{40,}$/) as unknown,
      code_challenge: expect.stringMatching(/^[\w-]{43}$/) as unknown,
      code_challenge_method: "S256",
    });
    const { id, login } = box.users.officer;
    const asked = tokenRequests(box);
    // Another process: nothing but what is kept.
    expect(await signInAtBox(machine).signedIn(place, soon())).toEqual({
      account: { id, login },
      actsAs: undefined,
    });
    expect(tokenRequests(box)).toBe(asked);
    expect([...machine.secrets.all().keys()]).toEqual([`box-login:${place.url}`]);
    await expect(fetch(page.searchParams.get("redirect_uri") ?? "")).rejects.toThrow();
  });

  const refusals: [string, string, (page: string) => Promise<unknown>][] = [
    ["says no", "auth.sign-in-denied", (page) => signInOnPage(page, { action: "deny" })],
    [
      "comes back after 30 s",
      "auth.sign-in-late",
      async (page) => {
        const back = await pressButton(page);
        box.clock.aheadMs += 31_000;
        await fetch(back);
      },
    ],
    [
      "was sent by somebody else, as PKCE shows",
      "auth.sign-in-late",
      (page) => signInOnPage(page, { changed: { code_challenge: "A".repeat(43) } }),
    ],
    [
      "gets a gateway's page",
      "unavailable.store",
      (page) => (box.faults.next({ path: /token$/, answer: gatewayPage() }), signInOnPage(page)),
    ],
    [
      "gets an empty refusal",
      "unavailable.store",
      (page) => (box.faults.next({ path: /token$/, answer: { status: 401 } }), signInOnPage(page)),
    ],
    [
      "gets nonsense",
      "unavailable.store",
      (page) => (
        box.faults.next({ path: /token$/, answer: { status: 200, json: ["hello"] } }),
        signInOnPage(page)
      ),
    ],
    [
      "gets a token of no known type",
      "unavailable.store",
      (page) => (
        box.faults.next({ path: /token$/, answer: { status: 200, json: { access_token: "x" } } }),
        signInOnPage(page)
      ),
    ],
    [
      "gets no refresh token",
      "auth.app-refused",
      (page) => (
        box.faults.next({
          path: /token$/,
          answer: { status: 200, json: { access_token: "x", token_type: "bearer" } },
        }),
        signInOnPage(page)
      ),
    ],
  ];
  it.each(refusals)("who %s is not signed in: %s", async (_, code, atPage) => {
    const machine = fresh();
    const signing = signInAtBox(machine).signIn(place, byPage(atPage), soon());
    await expect(signing).rejects.toMatchObject({ code, hint: expect.any(String) as unknown });
    expect(machine.secrets.all().size).toBe(0);
  });

  it("is told when the application's secret is wrong", async () => {
    const wrong = { ...box.app, clientSecret: "not-the-secret" };
    const signing = signInAtBox(fresh()).signIn(place, byPage(signInOnPage, wrong), soon());
    await expect(signing).rejects.toMatchObject({
      code: "auth.app-refused",
      message: expect.not.stringContaining("not-the-secret") as unknown,
      hint: expect.stringContaining("exhibit login box") as unknown,
    });
  });

  it("has so long, and no longer; and can be interrupted", async () => {
    await expect(
      signInAtBox(fresh(), 50).signIn(
        place,
        byPage(() => undefined),
        soon(),
      ),
    ).rejects.toMatchObject({ code: "auth.sign-in-late" });
    const stop = new AbortController();
    const proving = byPage(() => {
      stop.abort(new Error("stopped by the test"));
    });
    await expect(signInAtBox(fresh()).signIn(place, proving, stop.signal)).rejects.toThrow(
      "stopped by the test",
    );
  });

  it("who logs out is logged out at Box, too", async () => {
    const machine = await signedInMachine();
    const { accessToken, refreshToken } = kept(machine) ?? {};
    const door = signInAtBox(machine);
    expect(await door.signOut(place, soon())).toBe(true);
    expect(machine.secrets.all().size).toBe(0);
    expect(box.world.tokens.access(accessToken ?? "")).toBeUndefined();
    expect(box.world.tokens.useRefresh(refreshToken ?? "")).toBeUndefined();
    expect(await door.signOut(place, soon())).toBe(false);
    await expect(door.signedIn(place, soon())).rejects.toMatchObject({
      code: "auth.required",
      hint: "Sign in: exhibit login box",
    });
  });

  it("stays logged in while Box cannot be told, and can log out of an application that is gone", async () => {
    const machine = await signedInMachine();
    const door = signInAtBox(machine);
    box.faults.next({ path: /revoke$/, answer: gatewayPage() });
    await expect(door.signOut(place, soon())).rejects.toMatchObject({ code: "unavailable.store" });
    expect(kept(machine)).toBeDefined();
    const json = { error: "invalid_client", error_description: "The client is gone" };
    box.faults.next({ path: /revoke$/, answer: { status: 400, json } });
    expect(await door.signOut(place, soon())).toBe(true);
    expect(kept(machine)).toBeUndefined();
  });

  it.each(["admin", "officer"] as const)(
    "who is %s may act as another user or not",
    async (who) => {
      const { officer, partner, admin } = box.users;
      const other = box.addUser({ name: "Sam Sergeant", login: `sergeant-${who}@force.example` });
      place = { ...place, url: `${place.url}&as-user=${other.id}` };
      const machine = await signedInMachine({ user: box.users[who].id });
      const asked = signInAtBox(machine).signedIn(place, soon());
      if (who === "admin") {
        expect(await asked).toEqual({
          account: { id: admin.id, login: admin.login },
          actsAs: { id: other.id, login: other.login },
        });
      } else {
        await expect(asked).rejects.toMatchObject({
          code: "policy.not-permitted",
          message: expect.stringContaining(other.id) as unknown,
        });
      }
      expect([officer.name, partner.name].join(" ")).not.toBe("");
      box.world.tokens.revokeAll(box.users[who]);
    },
  );
});

describe("the door on this machine", () => {
  async function ask(to: string, method = "GET", headers: Record<string, string> = {}) {
    const asked = request(to, { method, headers }).end();
    const [answer] = (await once(asked, "response")) as [
      { statusCode: number; resume(): void; headers: Record<string, string> },
    ];
    answer.resume();
    return answer;
  }

  it("opens to the right state, once, and to nothing else", async () => {
    const callback = await openCallback(place, "right");
    const at = callback.redirectUri;
    const { origin } = new URL(at);
    const rows: [number, string, string?, Record<string, string>?][] = [
      [404, `${origin}/`],
      [404, `${origin}/favicon.ico`],
      [404, `${origin}/callback/x?state=right&code=c`],
      [404, `${at}?state=right&code=c`, "GET", { host: "evil.example" }],
      [405, `${at}?state=right&code=c`, "POST"],
      [400, at],
      [400, `${at}?state=wrong&code=c`],
      [400, `${at}?state=right&state=wrong&code=c`],
      [400, `${at}?code=c`],
      [400, `${at}?state=right`],
      [400, `${at}?state=wrong&error=access_denied`],
      [200, `${at}?state=right&code=c`],
      [410, `${at}?state=right&code=c`],
      [410, `${at}?state=right&error=access_denied`],
    ];
    for (const [status, to, method, headers] of rows) {
      const answer = await ask(to, method, headers);
      expect([to, answer.statusCode]).toEqual([to, status]);
      expect(answer.headers["cache-control"]).toBe("no-store");
    }
    expect((await callback.answer(soon())).searchParams.get("code")).toBe("c");
    callback.close();
    await expect(ask(at)).rejects.toThrow("ECONNREFUSED");
  });
});

describe("tokens of a person's login", () => {
  /** Lets the hour of an access token pass, for everybody. */
  function anHourLater(machine: TestMachine): void {
    box.clock.aheadMs += 61 * minute;
    machine.clock.aheadMs += 61 * minute;
  }

  it("are rotated, written down before they are used, and shared by all who ask", async () => {
    const machine = await signedInMachine();
    const before = kept(machine);
    const tokens = boxTokens(place, machine);
    expect(await tokens.token(soon())).toBe(before?.["accessToken"]);
    anHourLater(machine);
    const asked = tokenRequests(box);
    const given = await Promise.all(Array.from({ length: 10 }, () => tokens.token(soon())));
    const after = kept(machine);
    expect(new Set(given)).toEqual(new Set([after?.["accessToken"]]));
    expect(tokenRequests(box) - asked).toBe(1);
    expect(after?.["refreshToken"]).not.toBe(before?.["refreshToken"]);
    expect(box.world.tokens.useRefresh(before?.["refreshToken"] ?? "")).toBeUndefined();
    expect(await boxTokens(place, machine).token(soon())).toBe(given[0]);
  });

  it("that Box refuses are replaced, by another process's where there are some", async () => {
    const machine = await signedInMachine();
    const [one, other] = [boxTokens(place, machine), boxTokens(place, machine)];
    const first = await one.token(soon());
    expect(await other.token(soon())).toBe(first);
    box.clock.aheadMs += 61 * minute;
    const asked = tokenRequests(box);
    const second = await one.token(soon(), first);
    expect(second).not.toBe(first);
    expect(await other.token(soon(), first)).toBe(second);
    const [a, b] = await Promise.all([one.token(soon()), one.token(soon(), second)]);
    expect([second, b]).toContain(a);
    expect(b).not.toBe(second);
    expect(tokenRequests(box) - asked).toBe(2);
  });

  it("are read anew when another computer was faster", async () => {
    const machine = await signedInMachine();
    const theirs = boxTokens(place, machine);
    anHourLater(machine);
    let reads = 0;
    const late = {
      ...machine,
      secrets: {
        ...machine.secrets,
        // Behind what this one reads in its turn, the other computer trades.
        get: async (name: string) => {
          const text = await machine.secrets.get(name);
          reads += 1;
          if (reads === 2) await theirs.token(soon());
          return text;
        },
      },
    };
    expect(await boxTokens(place, late).token(soon())).toBe(await theirs.token(soon()));
    expect(reads).toBe(3);
  });

  it.each([
    ["60 days unused", () => (box.clock.aheadMs += 60 * 24 * 60 * minute)],
    ["taken back", () => (box.world.tokens.revokeAll(box.users.officer), 0)],
  ])("end when the login was %s", async (_, end) => {
    const machine = await signedInMachine();
    const before = kept(machine);
    anHourLater(machine);
    end();
    await expect(boxTokens(place, machine).token(soon())).rejects.toMatchObject({
      code: "auth.login-expired",
      hint: expect.stringContaining("Log in again: exhibit login box") as unknown,
    });
    expect(kept(machine)).toEqual(before);
  });

  it.each([
    ["a gateway's page", gatewayPage(), "unavailable.store"],
    ["a page that looks well", { ...gatewayPage(), status: 200 }, "unavailable.store"],
    ["an empty refusal", { status: 401 }, "unavailable.store"],
    ["nothing", { status: 200 }, "unavailable.store"],
    ["an application that was shut out", "unauthorized_client", "auth.app-refused"],
    ["a new application secret", "invalid_client", "auth.app-refused"],
  ])("outlive %s", async (_, told, code) => {
    const machine = await signedInMachine();
    const before = kept(machine);
    anHourLater(machine);
    const answer =
      typeof told === "string"
        ? { status: 400, json: { error: told, error_description: "Olu Officer <secret>" } }
        : told;
    box.faults.next({ path: /token$/, answer });
    const tokens = boxTokens(place, machine);
    await expect(tokens.token(soon())).rejects.toMatchObject({
      code,
      message: expect.not.stringMatching(/Olu|secret>/) as unknown,
    });
    expect(kept(machine)).toEqual(before);
    expect(await tokens.token(soon())).toBe(kept(machine)?.["accessToken"]);
  });

  it("are asked for again when Box has too much to do", async () => {
    const machine = await signedInMachine();
    anHourLater(machine);
    box.faults.next({ path: /token$/, answer: rateLimited(0), times: 2 });
    expect(await boxTokens(place, machine).token(soon())).toBe(kept(machine)?.["accessToken"]);
  });

  it("are not used when they cannot be written down", async () => {
    const machine = await signedInMachine();
    anHourLater(machine);
    const secrets = { ...machine.secrets, set: () => Promise.reject(new Error("disk full")) };
    const broken = boxTokens(place, { ...machine, secrets });
    await expect(broken.token(soon())).rejects.toThrow("disk full");
  });

  it("are written down also when the program is told to stop while Box answers", async () => {
    const machine = await signedInMachine();
    const before = kept(machine);
    anHourLater(machine);
    const stop = new AbortController();
    const alter = <Answer>(answer: Answer): Answer => {
      stop.abort(new Error("stopped by the test"));
      return answer;
    };
    box.faults.next({ path: /token$/, alter });
    await boxTokens(place, machine).token(stop.signal);
    expect(kept(machine)?.["refreshToken"]).not.toBe(before?.["refreshToken"]);
    await boxTokens(place, machine).token(soon());
  });

  it.each(["not JSON", "{}", '{"by":"page"}'])("are none where %s is kept", async (text) => {
    const machine = fresh();
    await machine.secrets.set(loginName(place.url), text);
    const asked = boxTokens(place, machine).token(soon());
    await expect(asked).rejects.toMatchObject({ code: "auth.required" });
  });

  it("survive an answer that was lost, where Box takes the newest two", async () => {
    const lenient = await startBox();
    takeNewestTwo(lenient);
    place = { name: "box", url: boxUrl(lenient) };
    const machine = fresh();
    const proving = byPage(signInOnPage, lenient.app);
    await signInAtBox(machine).signIn(place, proving, soon());
    lenient.clock.aheadMs += 61 * minute;
    machine.clock.aheadMs += 61 * minute;
    lenient.faults.next({ path: /token$/, cut: "unanswered" });
    const { account } = await signInAtBox(machine).signedIn(place, soon());
    expect(account.login).toBe(lenient.users.officer.login);
    await lenient.close();
  });
});
