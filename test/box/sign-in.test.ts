import { once } from "node:events";
import { request } from "node:http";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "@jest/globals";
import type { SignInPlace } from "../../src/evidence/ports/sign-in.ts";
import { openCallback } from "../../src/stores/sign-in/callback.ts";
import { callbackAt, signInAtBox } from "../../src/stores/box/sign-in/sign-in.ts";
import {
  boxUrl,
  byPage,
  keptLogin,
  wrongRequests,
  pressButton,
  signingMachine,
  signInOnPage,
  tokenRequests,
  type OnPage,
  type SigningMachine,
} from "../support/box-person.ts";
import { startBox, type Box } from "../support/box/box.ts";
import { gatewayPage } from "../support/box/http/faults.ts";
import { soon } from "../support/server.ts";

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
  expect([box.unsound, box.faults.pending, wrongRequests(box)]).toEqual([[], 0, []]);
  await box.close();
});

function kept(machine: SigningMachine): Record<string, string> | undefined {
  return keptLogin(machine, place.url);
}

async function signedInMachine(done: OnPage = {}): Promise<SigningMachine> {
  const machine = signingMachine();
  const proving = byPage(box, (page) => signInOnPage(page, done));
  await signInAtBox(machine).signIn(place, proving, soon());
  return machine;
}

describe("a person", () => {
  it("signs in on Box's page, with state and PKCE, and is asked for nothing afterwards", async () => {
    const machine = signingMachine();
    let shown = "";
    const proving = byPage(box, (page) => signInOnPage((shown = page)));
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
    const machine = signingMachine();
    const signing = signInAtBox(machine).signIn(place, byPage(box, atPage), soon());
    await expect(signing).rejects.toMatchObject({ code, hint: expect.any(String) as unknown });
    expect(machine.secrets.all().size).toBe(0);
  });

  it("is told when the application's secret is wrong", async () => {
    const wrong = { ...box.app, clientSecret: "not-the-secret" };
    const signing = signInAtBox(signingMachine()).signIn(
      place,
      byPage(box, signInOnPage, wrong),
      soon(),
    );
    await expect(signing).rejects.toMatchObject({
      code: "auth.app-refused",
      message: expect.not.stringContaining("not-the-secret") as unknown,
      hint: expect.stringContaining("exhibit login box") as unknown,
    });
  });

  it("has so long, and no longer; and can be interrupted", async () => {
    await expect(
      signInAtBox(signingMachine(), 50).signIn(
        place,
        byPage(box, () => undefined),
        soon(),
      ),
    ).rejects.toMatchObject({ code: "auth.sign-in-late" });
    const stop = new AbortController();
    const proving = byPage(box, () => {
      stop.abort(new Error("stopped by the test"));
    });
    await expect(signInAtBox(signingMachine()).signIn(place, proving, stop.signal)).rejects.toThrow(
      "stopped by the test",
    );
  });

  it("who logs out is logged out at Box, too", async () => {
    const machine = await signedInMachine();
    const { accessToken, refreshToken } = kept(machine) ?? {};
    const door = signInAtBox(machine);
    expect(await door.signOut(place, soon())).toBe("ended");
    expect(machine.secrets.all().size).toBe(0);
    expect(box.world.tokens.access(accessToken ?? "")).toBeUndefined();
    expect(box.world.tokens.useRefresh(refreshToken ?? "")).toBeUndefined();
    expect(await door.signOut(place, soon())).toBe("none");
    await expect(door.signedIn(place, soon())).rejects.toMatchObject({
      code: "auth.required",
      hint: "Sign in: exhibit login box",
    });
  });

  it("stays logged in while Box cannot be told", async () => {
    const machine = await signedInMachine();
    const door = signInAtBox(machine);
    box.faults.next({ path: /revoke$/, answer: gatewayPage() });
    await expect(door.signOut(place, soon())).rejects.toMatchObject({ code: "unavailable.store" });
    expect(kept(machine)).toBeDefined();
  });

  it.each([
    ["invalid_grant", "ended"],
    ["invalid_client", "forgotten"],
    ["unauthorized_client", "forgotten"],
    ["unsupported_token_type", "forgotten"],
  ])("who logs out where Box answers %s is told that the login is %s", async (error, end) => {
    const machine = await signedInMachine();
    const json = { error, error_description: "Planted Name" };
    box.faults.next({ path: /revoke$/, answer: { status: 400, json } });
    expect(await signInAtBox(machine).signOut(place, soon())).toBe(end);
    expect(kept(machine)).toBeUndefined();
  });

  it.each(["admin", "officer"] as const)(
    "who is %s may act as another user or not",
    async (who) => {
      const { admin } = box.users;
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
    const callback = await openCallback(callbackAt(place), "right");
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
