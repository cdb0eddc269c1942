import { rm } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { chromium, type Browser } from "playwright-core";
import type { SignInWay } from "../../src/evidence/ports/officer-sign-in.ts";
import { accountsOf } from "../../src/stores/server/accounts.ts";
import { enrolmentAtServers } from "../../src/stores/server/enrolment.ts";
import { signInByProvider } from "../../src/stores/server/provider/sign-in.ts";
import { openSession } from "../../src/stores/server/session.ts";
import { chromiumPath } from "../support/chromium.ts";
import {
  groups,
  signInAt,
  startForceProvider,
  type ForceProvider,
} from "../support/force-provider.ts";
import { newMachine, soon, startServer, type TestServer } from "../support/server.ts";
import { believing } from "../support/sso-server.ts";

let provider: ForceProvider;
let server: TestServer;
let browser: Browser;

beforeAll(async () => {
  provider = await startForceProvider();
  provider.accounts.set("officer.smith@force.example", {
    oid: "aaaaaaaa-1111-4222-8333-444444444444",
    groups: [groups.officers],
  });
  server = await startServer({ deps: { sso: believing(provider) } });
  browser = await chromium.launch({ executablePath: chromiumPath(), args: ["--no-sandbox"] });
});
afterAll(async () => {
  await browser.close();
  await server.stop();
  await provider.close();
});

type Machine = ReturnType<typeof newMachine>;

function asPerson(login: string): SignInWay {
  return { by: "page", showPage: (page) => void signInAt(page, login) };
}

async function signIn(machine: Machine, way: SignInWay): Promise<void> {
  const key = server.deps.key.thumbprint;
  await signInByProvider(machine).signIn(server.url, key, way, soon());
}

describe("an officer", () => {
  it("signs in on the provider's page in a real browser, and the server knows them by no name", async () => {
    const machine = newMachine();
    const page = await browser.newPage();
    const walk = async (url: string): Promise<void> => {
      await page.goto(url);
      await page.fill("input[name=login]", "officer.smith@force.example");
      await page.fill("input[name=password]", "any");
      await page.click("button[type=submit]");
      await page.click("button[type=submit]");
      await page.waitForURL(/^http:\/\/localhost/);
    };
    let walked: Promise<void> | undefined;
    await signIn(machine, { by: "page", showPage: (url) => (walked = walk(url)) });
    await walked;
    expect(await page.textContent("body")).toContain("go back to the terminal");
    await page.close();
    const session = await openSession(server.url, machine, soon());
    expect(await accountsOf(session).me(soon())).toMatchObject({
      role: "officer",
      organisation: "Example Police",
      enrolledBy: "provider",
    });
    expect(await enrolmentAtServers(machine).leave(server.url, soon())).toBe(true);
    expect([...machine.secrets.all()]).toEqual([]);
  });

  it("signs in without", async () => {
    const machine = newMachine();
    await signIn(machine, asPerson("officer.smith@force.example"));
    expect([...machine.secrets.all().keys()].sort()).toEqual([
      `identity:${server.url}`,
      `sso-login:${server.url}`,
    ]);
  });
});
void rm;
