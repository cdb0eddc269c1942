import { Refusal, type Answer } from "../http/answer.ts";
import type { Item } from "../items/items.ts";
import { miniBody } from "../items/bodies.ts";
import type { World } from "../world.ts";
import { rightsOn } from "./rights.ts";
import { invalidGrant, tokenBody } from "./token-endpoint.ts";
import type { Token } from "./access.ts";

const known = [
  ...["base_explorer", "base_picker", "base_preview", "base_sidebar", "base_upload"],
  ...["item_delete", "item_download", "item_preview", "item_readonly", "item_readwrite"],
  ...["item_rename", "item_share", "item_upload"],
];

/** Exchanges a token for one that can do less, in one place. */
export function downscoped(world: World, form: URLSearchParams): Answer {
  const parent = world.tokens.access(form.get("subject_token") ?? "");
  if (parent === undefined) throw invalidGrant("Invalid subject token");
  if (form.get("subject_token_type") !== "urn:ietf:params:oauth:token-type:access_token") {
    throw new Refusal(400, "invalid_request", "Invalid subject_token_type", { form: "oauth" });
  }
  const scopes = (form.get("scope") ?? "").split(" ").filter((one) => one !== "");
  const grown = parent.scopes !== undefined && !scopes.every((one) => parent.scopes?.includes(one));
  if (scopes.length === 0 || grown || !scopes.every((one) => known.includes(one))) {
    throw new Refusal(400, "invalid_scope", "The requested scope is invalid", { form: "oauth" });
  }
  const within = resource(world, parent, form) ?? parent.within;
  const token = world.tokens.issue(parent.user, { scopes, within });
  const object = within === undefined ? {} : { object: miniBody(within) };
  const restricted_to = scopes.map((scope) => ({ scope, ...object }));
  const issued_token_type = "urn:ietf:params:oauth:token-type:access_token";
  return { status: 200, json: { ...tokenBody(world, token), restricted_to, issued_token_type } };
}

function resource(world: World, parent: Token, form: URLSearchParams): Item | undefined {
  const link = form.get("box_shared_link");
  if (link !== null) return world.links.opened(link, null, parent.user).item;
  const url = form.get("resource");
  if (url === null) return undefined;
  const [, kind, id = ""] = /\/2\.0\/(files|folders)\/(\d+)$/.exec(url) ?? [];
  const item = kind === "files" ? world.tree.files.get(id) : world.folder(parent.user, id);
  const access = { token: parent, user: parent.user, linked: undefined };
  if (item === undefined || rightsOn(world, access, item).size === 0) {
    throw new Refusal(400, "invalid_resource", "The resource is invalid", { form: "oauth" });
  }
  return item;
}

/** For `GET /files` and the like: one of these is enough to read. */
export const readScopes = [
  ...["base_explorer", "base_picker", "base_preview", "base_sidebar", "item_preview"],
  ...["item_download", "item_readonly", "item_readwrite"],
] as const;
export const uploadScopes = ["base_upload", "item_upload", "item_readwrite"] as const;
