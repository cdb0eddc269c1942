import { badRequest, Refusal, type Answer } from "../http/answer.ts";
import type { Call } from "../http/call.ts";
import type { World } from "../world.ts";

/** `GET /api/oauth2/authorize`: a page with one button, as whoever `user` names, or the officer. */
export function authorizePage(world: World, call: Call): Answer {
  checkRequest(world, call.query);
  const fields = [...call.query]
    .map(
      ([name, value]) => `<input type="hidden" name="${escaped(name)}" value="${escaped(value)}">`,
    )
    .join("");
  const text =
    `<!doctype html><html lang="en"><head><title>Grant access to Box</title></head><body>` +
    `<form method="post" action="/api/oauth2/authorize">${fields}` +
    `<button name="action" value="approve">Grant access to Box</button></form></body></html>`;
  return { status: 200, headers: { "content-type": "text/html; charset=utf-8" }, text };
}

/** `POST` of that page's form; `action=deny` refuses, `user` is the id of who is signed in. */
export async function authorizeDecision(world: World, call: Call): Promise<Answer> {
  const form = await call.form();
  const redirectUri = checkRequest(world, form);
  const back = new URL(redirectUri);
  const state = form.get("state");
  if (state !== null) back.searchParams.set("state", state);
  if (form.get("action") === "deny") {
    back.searchParams.set("error", "access_denied");
    back.searchParams.set("error_description", "The user denied access to your application");
    return { status: 302, headers: { location: back.href } };
  }
  const id = form.get("user");
  const user = id === null ? world.people.officer : world.users.get(id);
  if (user === undefined) throw badRequest("No such user");
  const challenge = form.get("code_challenge") ?? undefined;
  const code = world.tokens.issueCode({ user, redirectUri, challenge });
  back.searchParams.set("code", code);
  return { status: 302, headers: { location: back.href } };
}

/** Where the browser goes back to: a registered address, or any port of the loopback host. */
function checkRequest(world: World, given: URLSearchParams): string {
  const wrong = (error: string, why: string) => new Refusal(400, error, why, { form: "oauth" });
  if (given.get("response_type") !== "code") {
    throw wrong("unsupported_response_type", "Only code is supported");
  }
  if (given.get("client_id") !== world.app.clientId) {
    throw wrong("invalid_client", "The client is not known");
  }
  const [first] = world.app.redirectUris;
  const wanted = given.get("redirect_uri") ?? first;
  if (wanted === undefined || !URL.canParse(wanted)) {
    throw wrong("redirect_uri_missing", "No redirect URI");
  }
  if (world.app.redirectUris.includes(wanted) || isLoopback(new URL(wanted))) return wanted;
  throw wrong("redirect_uri_mismatch", "The redirect URI is not one of the application's");
}

function isLoopback(url: URL): boolean {
  return url.protocol === "http:" && ["localhost", "127.0.0.1", "[::1]"].includes(url.hostname);
}

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll('"', "&quot;").replaceAll("<", "&lt;");
}
