import { Refusal, badRequest, forbidden } from "../http/answer.ts";
import type { Call } from "../http/call.ts";
import type { Item } from "../items/items.ts";
import { withParents } from "../items/items.ts";
import type { World } from "../world.ts";
import type { User } from "./users.ts";

/** What a bearer token stands for. */
export interface Token {
  readonly text: string;
  readonly user: User;
  readonly expiresAt: Date;
  /** Of a downscoped token: what it may, and where. */
  readonly scopes: readonly string[] | undefined;
  readonly within: Item | undefined;
}

/** Who asks, and as whom. */
export interface Access {
  readonly token: Token;
  /** Whose rights count. */
  readonly user: User;
  /** Item that the request has a shared link to, from the header `BoxApi`. */
  readonly linked: Item | undefined;
}

/** Reads who asks from a request. */
export function signedIn(world: World, call: Call): Access {
  const [, text] = /^Bearer (\S+)$/i.exec(call.header("authorization") ?? "") ?? [];
  const token = text === undefined ? undefined : world.tokens.access(text);
  if (token === undefined) throw unauthorized();
  const user = actsAs(world, token, call.header("as-user"));
  return { token, user, linked: world.links.fromHeader(call.header("boxapi"), user) };
}

/** Refuses a downscoped token that has none of the scopes. */
export function checkScopes(access: Access, scopes: readonly string[] | undefined): void {
  const held = access.token.scopes;
  if (held === undefined) return;
  if (scopes?.some((one) => held.includes(one)) !== true) throw insufficientScope();
}

/** Refuses a downscoped token for things outside of its resource. */
export function checkWithin(access: Access, item: Item): void {
  const { within } = access.token;
  if (within === undefined) return;
  for (const one of withParents(item)) if (one === within) return;
  throw insufficientScope();
}

function insufficientScope(): Refusal {
  return new Refusal(
    403,
    "insufficient_scope",
    "The request requires higher privileges than provided by the access token.",
    {
      headers: {
        "www-authenticate": `Bearer realm="Service", error="insufficient_scope", error_description="The request requires higher privileges than provided by the access token."`,
      },
    },
  );
}

/** Box says nothing in the body about a token that is wrong, revoked or too old. */
function unauthorized(): Refusal {
  return new Refusal(401, "unauthorized", "", {
    form: "empty",
    headers: {
      "www-authenticate": `Bearer realm="Service", error="invalid_token", error_description="The access token provided is invalid."`,
    },
  });
}

function actsAs(world: World, token: Token, id: string | undefined): User {
  if (id === undefined || id === token.user.id) return token.user;
  if (!world.settings.asUserAllowed) throw forbidden();
  const mayImpersonate = token.user.role !== "user" || token.user.kind === "service";
  if (!mayImpersonate || token.scopes !== undefined) throw forbidden();
  if (!/^\d+$/.test(id)) throw badRequest("Invalid value for as-user");
  const other = world.users.get(id);
  if (other?.kind !== "managed") throw forbidden();
  return other;
}

/** Refuses who is neither an administrator nor the application's own account, and an application without the scope. */
export function checkAdministrator(world: World, access: Access): void {
  const allowed = access.user.role !== "user" || access.user.kind === "service";
  if (!allowed || !world.settings.enterpriseScope || access.token.scopes !== undefined) {
    throw forbidden("Access denied - insufficient permission");
  }
}
