import { fileFor, folderFor, numeric, rightsOn, roles, type Role } from "../accounts/rights.ts";
import { badRequest, forbidden, notFound, Refusal, type Answer } from "../http/answer.ts";
import type { Call } from "../http/call.ts";
import { idIn, objectIn, textIn, type Json } from "../http/json.ts";
import { sentDate } from "../items/dates.ts";
import { isRoot, type Item } from "../items/items.ts";
import type { World } from "../world.ts";
import { collaborationBody, type Collaboration } from "./collaborations.ts";

/** `POST /collaborations` */
export async function invite(world: World, call: Call): Promise<Answer> {
  const body = await call.json();
  const item = invitedTo(world, call, objectIn(body, "item"));
  const role = roleIn(body);
  if (role === "owner") throw badRequest("The owner cannot be invited");
  const expiresAt = endIn(world, body);
  const whom = objectIn(body, "accessible_by");
  if (textIn(whom, "type") !== "user") throw badRequest("Only users can be invited here");
  const id = idIn(whom, "id");
  const login = textIn(whom, "login");
  const user = id === undefined ? world.userCalled(login ?? "") : world.users.get(id);
  if (id !== undefined && user === undefined) throw notFound("User not found");
  if (user === undefined && login === undefined) throw badRequest("id or login is required");
  checkDomain(world, user?.login ?? login ?? "", user?.kind);
  checkNew(world, item, user === undefined ? login : user.login);
  const now = world.now();
  const made: Collaboration = {
    id: world.tree.nextId(),
    item,
    user,
    invitedEmail: login,
    role,
    accepted: user !== undefined,
    expiresAt,
    by: call.access.user,
    createdAt: now,
    modifiedAt: now,
  };
  world.collaborations.add(made);
  world.events.add("COLLABORATION_INVITE", call.access.user, item, { collab_id: made.id, role });
  if (made.accepted) {
    world.events.add("COLLABORATION_ACCEPT", user, item, { collab_id: made.id, role });
  }
  return { status: 201, json: collaborationBody(made) };
}

/** `GET /collaborations/:id` */
export function getCollaboration(world: World, call: Call): Answer {
  return { status: 200, json: collaborationBody(found(world, call, "see")) };
}

/** `PUT /collaborations/:id` */
export async function changeCollaboration(world: World, call: Call): Promise<Answer> {
  const one = found(world, call, "invite");
  const body = await call.json();
  const expiresAt = endIn(world, body);
  if (body["role"] !== undefined) one.role = roleIn(body);
  if (body["expires_at"] !== undefined) one.expiresAt = expiresAt;
  one.modifiedAt = world.now();
  const { role } = one;
  world.events.add("COLLABORATION_ROLE_CHANGE", call.access.user, one.item, { role });
  return { status: 200, json: collaborationBody(one) };
}

/** `DELETE /collaborations/:id`; the invited may go by themselves. */
export function removeCollaboration(world: World, call: Call): Answer {
  const one = found(world, call, "invite");
  world.collaborations.remove(one);
  world.events.add("COLLABORATION_REMOVE", call.access.user, one.item, { collab_id: one.id });
  return { status: 204 };
}

/** `GET /files/:id/collaborations` */
export function fileCollaborations(world: World, call: Call): Answer {
  return list(world, fileFor(world, call, "see"));
}

/** `GET /folders/:id/collaborations` */
export function folderCollaborations(world: World, call: Call): Answer {
  return list(world, folderFor(world, call, "see"));
}

function list(world: World, item: Item): Answer {
  const entries = world.collaborations.on(item).map(collaborationBody);
  return { status: 200, json: { total_count: entries.length, entries } };
}

function found(world: World, call: Call, right: "see" | "invite"): Collaboration {
  const one = world.collaborations.get(numeric(call.param("id")));
  if (one === undefined) throw notFound();
  if (one.user === call.access.user) return one;
  const rights = rightsOn(world, call.access, one.item);
  if (!rights.has("see") && !rights.has("enter")) throw notFound();
  if (!rights.has(right)) throw forbidden();
  return one;
}

function invitedTo(world: World, call: Call, given: Json): Item {
  const id = idIn(given, "id");
  if (id === undefined) throw badRequest("'item' is required");
  if (textIn(given, "type") === "file") return fileFor(world, call, "invite", id);
  const folder = folderFor(world, call, "invite", id);
  if (isRoot(folder)) throw badRequest("The root folder cannot be shared");
  return folder;
}

function roleIn(body: Json): Role {
  const role = roles.find((one) => one === body["role"]);
  if (role === undefined) throw badRequest("Invalid value for role");
  return role;
}

function endIn(world: World, body: Json): Date | undefined {
  const end = sentDate(body["expires_at"], "expires_at");
  if (end !== undefined && !world.settings.collaborationExpiry) {
    throw forbidden("The enterprise does not let collaborations expire");
  }
  if (end !== undefined && end <= world.now()) throw badRequest("expires_at is in the past");
  return end;
}

/** Outsiders may be kept out, all of them or those of other domains than some. */
function checkDomain(world: World, login: string, kind: string | undefined): void {
  if (kind === "managed" || kind === "service") return;
  const { externalCollaboration, allowedDomains } = world.settings;
  const domain = login.slice(login.lastIndexOf("@") + 1);
  const known = allowedDomains.length === 0 || allowedDomains.includes(domain);
  if (externalCollaboration && known) return;
  throw forbidden("External collaboration is not allowed", "forbidden_by_policy");
}

/** Box has answered this in two ways. */
function checkNew(world: World, item: Item, login: string | undefined): void {
  const same = world.collaborations
    .on(item)
    .find(({ user, invitedEmail }) => (user?.login ?? invitedEmail) === login);
  const own = item.owner.login === login;
  if (same === undefined && !own) return;
  const why = "User is already a collaborator";
  if (world.settings.collaborationConflict === 400 || same === undefined) {
    throw badRequest(why, "user_already_collaborator");
  }
  const conflict = { type: "collaboration", id: same.id };
  throw new Refusal(409, "collaboration_already_exists", why, {
    context: { conflicts: [conflict] },
  });
}
