import type { Proving } from "../../src/evidence/ports/sign-in.ts";
import type { StoreMachine } from "../../src/stores/registry.ts";
import { loginName } from "../../src/stores/box/sign-in/kept-login.ts";
import type { Box } from "./box/box.ts";
import type { MemorySecrets } from "./memory-secrets.ts";
import { MovingClock } from "./moving-clock.ts";
import { newMachine } from "./server.ts";

/** What a person does on Box's page. */
export interface OnPage {
  readonly action?: "approve" | "deny";
  /** Id of who is signed in there; left out, the officer. */
  readonly user?: string;
  /** Fields of the page's form that are changed on the way. */
  readonly changed?: Readonly<Record<string, string>>;
}

/** Opens the page as a browser would, presses its button, and gives the address that Box sends the browser back to. */
export async function pressButton(page: string, done: OnPage = {}): Promise<string> {
  const shown = await fetch(page);
  const html = await shown.text();
  if (shown.status !== 200) throw new Error(`The page answered ${shown.status}: ${html}`);
  const form = new URLSearchParams();
  for (const [, name = "", value = ""] of html.matchAll(/name="([^"]*)" value="([^"]*)">/g)) {
    if (name !== "action") form.set(name, value.replaceAll("&amp;", "&"));
  }
  form.set("action", done.action ?? "approve");
  if (done.user !== undefined) form.set("user", done.user);
  for (const [name, value] of Object.entries(done.changed ?? {})) form.set(name, value);
  const to = new URL("/api/oauth2/authorize", page);
  const answer = await fetch(to, { method: "POST", body: form, redirect: "manual" });
  const location = answer.headers.get("location");
  if (location === null) throw new Error(`The page's form answered ${answer.status}.`);
  return location;
}

/** Signs in on the page and lets the browser go back to where it came from. Gives the status of what it sees there. */
export async function signInOnPage(page: string, done: OnPage = {}): Promise<number> {
  const { status } = await fetch(await pressButton(page, done));
  return status;
}

/** The address of a store in a simulated Box. */
export function boxUrl(box: Box, folderId = "0", more = ""): string {
  const { apiUrl, uploadUrl, authorizeUrl } = box;
  return `box:${folderId}?api=${apiUrl}&upload=${uploadUrl}&authorize=${authorizeUrl}${more}`;
}

/** How often Box was asked for tokens. */
export function tokenRequests(box: Box): number {
  return box.requests.filter(({ path }) => path === "/oauth2/token").length;
}

/** Has Box take the newest two refresh tokens of a user, used or not, as its older client says it does. */
export function takeNewestTwo({ world: { tokens } }: Box): void {
  const given: { text: string; user: NonNullable<ReturnType<typeof tokens.useRefresh>> }[] = [];
  const issue = tokens.issueRefresh.bind(tokens);
  tokens.issueRefresh = (user) => {
    const text = issue(user);
    given.push({ text, user });
    return text;
  };
  tokens.useRefresh = (text) => given.slice(-2).find((one) => one.text === text)?.user;
}

/** Where our own requests did not fit Box's document, of which it is right. */
export function wrongRequests({ ourViolations }: Box): unknown[] {
  // It wants a field there that it does not describe, and that no client sends.
  return ourViolations.filter(
    ({ operation, what }) => !(operation === "post_oauth2_revoke" && what.includes("grant_type")),
  );
}

/** A machine that is signed in nowhere, with a clock to put forward and back. */
export interface SigningMachine extends StoreMachine {
  readonly secrets: MemorySecrets;
  readonly clock: MovingClock;
}

export function signingMachine(clock = new MovingClock()): SigningMachine {
  const machine = newMachine(clock);
  return { ...machine, clock };
}

/** What a machine keeps of its login, or nothing. */
export function keptLogin(
  { secrets }: SigningMachine,
  url: string,
): Record<string, string> | undefined {
  const text = secrets.all().get(loginName(url));
  return text === undefined ? undefined : (JSON.parse(text) as Record<string, string>);
}

/** A person's way of signing in; `atPage` is what becomes of the page's address. */
export function byPage(
  box: Box,
  atPage: (page: string) => unknown,
  application = box.app,
): Proving {
  return { by: "page", application, showPage: (page) => void atPage(page) };
}
