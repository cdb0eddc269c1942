import { afterAll, beforeAll, beforeEach, describe, expect, it } from "@jest/globals";
import type { Proving, SignInPlace } from "../../src/evidence/ports/sign-in.ts";
import { boxTokens } from "../../src/stores/box/sign-in/box-tokens.ts";
import { loginName } from "../../src/stores/box/sign-in/kept-login.ts";
import { signInAtBox } from "../../src/stores/box/sign-in/sign-in.ts";
import {
  boxUrl,
  byPage,
  keptLogin,
  wrongRequests,
  signingMachine,
  signInOnPage,
  takeNewestTwo,
  tokenRequests,
  type SigningMachine,
} from "../support/box-person.ts";
import { startBox, type Box } from "../support/box/box.ts";
import { gatewayPage, rateLimited } from "../support/box/http/faults.ts";
import { soon } from "../support/server.ts";

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
  expect([box.unsound, box.faults.pending, wrongRequests(box)]).toEqual([[], 0, []]);
  await box.close();
});

function kept(machine: SigningMachine): Record<string, string> | undefined {
  return keptLogin(machine, place.url);
}

async function signedInMachine(): Promise<SigningMachine> {
  const machine = signingMachine();
  const proving = byPage(box, (page) => signInOnPage(page));
  await signInAtBox(machine).signIn(place, proving, soon());
  return machine;
}

describe("tokens of a person's login", () => {
  /** Lets the hour of an access token pass, for everybody. */
  function anHourLater(machine: SigningMachine): void {
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
    const machine = signingMachine();
    await machine.secrets.set(loginName(place.url), text);
    const asked = boxTokens(place, machine).token(soon());
    await expect(asked).rejects.toMatchObject({ code: "auth.required" });
  });

  it("survive an answer that was lost, where Box takes the newest two", async () => {
    const lenient = await startBox();
    takeNewestTwo(lenient);
    place = { name: "box", url: boxUrl(lenient) };
    const machine = signingMachine();
    const proving = byPage(lenient, signInOnPage);
    await signInAtBox(machine).signIn(place, proving, soon());
    lenient.clock.aheadMs += 61 * minute;
    machine.clock.aheadMs += 61 * minute;
    lenient.faults.next({ path: /token$/, cut: "unanswered" });
    const { account } = await signInAtBox(machine).signedIn(place, soon());
    expect(account.login).toBe(lenient.users.officer.login);
    await lenient.close();
  });
});

describe("an unattended job", () => {
  const jwt = (userId?: string, change: (text: string) => string = (text) => text): Proving => ({
    by: "key",
    settings: change(JSON.stringify(box.jwtConfig())),
    userId,
  });
  const ccg = (type: "enterprise" | "user", id: string): Proving => ({
    by: "credentials",
    application: box.app,
    subject: { type, id },
  });

  it.each([
    ["a key, as the application's own account", () => jwt(), () => box.users.service, 0],
    ["a key, as a user", () => jwt(box.users.admin.id), () => box.users.admin, 0],
    ["a key, its clock 5 minutes behind", () => jwt(), () => box.users.service, -5 * minute],
    ["a key, its clock 5 minutes ahead", () => jwt(), () => box.users.service, 5 * minute],
    [
      "client credentials, as the application's own account",
      () => ccg("enterprise", box.enterpriseId),
      () => box.users.service,
      0,
    ],
    [
      "client credentials, as a user",
      () => ccg("user", box.users.admin.id),
      () => box.users.admin,
      0,
    ],
  ])("signs in with %s, and goes on for hours", async (_, proving, who, aheadMs) => {
    const machine = signingMachine();
    machine.clock.aheadMs = aheadMs;
    const door = signInAtBox(machine);
    await door.signIn(place, proving(), soon());
    const { id, login } = who();
    expect((await door.signedIn(place, soon())).account).toEqual({ id, login });
    const before = kept(machine);
    const tokens = boxTokens(place, machine);
    const first = await tokens.token(soon());
    expect(await tokens.token(soon())).toBe(first);
    machine.clock.aheadMs += 61 * minute;
    const second = await tokens.token(soon());
    expect(second).not.toBe(first);
    expect(box.world.tokens.access(second)?.user).toBe(who());
    // What is kept is what signs in; tokens are each process's own.
    expect(kept(machine)).toEqual(before);
    expect(await door.signOut(place, soon())).toBe("ended");
    expect(machine.secrets.all().size).toBe(0);
  });

  it.each([
    ["an enterprise that is not its own", () => ccg("enterprise", "1"), "auth.app-refused"],
    ["a user who is not there", () => ccg("user", "1"), "auth.app-refused"],
    ["a key for a user who is not there", () => jwt("1"), "auth.app-refused"],
    [
      "a key that Box does not know",
      () => jwt(undefined, (text) => text.replace(box.app.jwt.keyId, "nokey")),
      "auth.app-refused",
    ],
    [
      "a wrong client secret",
      () => jwt(undefined, (text) => text.replace(box.app.clientSecret, "wrong")),
      "auth.app-refused",
    ],
    [
      "a wrong passphrase",
      () => jwt(undefined, (text) => text.replace(box.app.jwt.passphrase, "wrong")),
      "usage.invalid",
    ],
    ["half a file", () => jwt(undefined, (text) => text.slice(0, 300)), "usage.invalid"],
    [
      "no enterprise",
      () => jwt(undefined, (text) => text.replace("enterpriseID", "e")),
      "usage.invalid",
    ],
    ["another document", () => jwt(undefined, () => '{"installed":{}}'), "usage.invalid"],
  ])("with %s is told so in words that quote nothing", async (_, proving, code) => {
    const machine = signingMachine();
    const signing = signInAtBox(machine).signIn(place, proving(), soon());
    const failure = await signing.then(
      () => undefined,
      (error: unknown) => error,
    );
    expect(failure).toMatchObject({ code, hint: expect.any(String) as unknown });
    const told = JSON.stringify([
      (failure as Error).message,
      failure,
      String((failure as Error).cause),
    ]);
    const {
      clientSecret,
      jwt: { passphrase, encryptedPrivateKey },
    } = box.app;
    for (const secret of [clientSecret, passphrase, encryptedPrivateKey.slice(60, 90)]) {
      expect(told).not.toContain(secret);
    }
    expect(machine.secrets.all().size).toBe(0);
  });
});
