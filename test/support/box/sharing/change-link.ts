import { rightsOn } from "../accounts/rights.ts";
import { badRequest, forbidden } from "../http/answer.ts";
import type { Call } from "../http/call.ts";
import { flagIn, isJson, objectIn, type Json } from "../http/json.ts";
import { sentDate } from "../items/dates.ts";
import type { Item } from "../items/items.ts";
import type { World } from "../world.ts";
import type { LinkAccess, SharedLink } from "./link.ts";

/** The part of an update that makes, changes or takes away the shared link of an item. */
export function changeLink(world: World, call: Call, item: Item, body: Json): void {
  const wanted = body["shared_link"];
  if (wanted === undefined) return;
  if (!rightsOn(world, call.access, item).has("share")) throw forbidden();
  const { user } = call.access;
  if (item.link !== undefined) world.links.expire(item.link);
  if (wanted === null) {
    if (item.link === undefined) return;
    world.events.add("UNSHARE", user, item);
    world.links.remove(item.link);
  } else {
    if (!isJson(wanted)) throw badRequest("Invalid value for shared_link");
    const change = checked(world, item, wanted);
    const fresh = item.link === undefined;
    Object.assign(item.link ?? world.links.make(item, user), change);
    world.events.add(fresh ? "SHARE" : "ITEM_SHARED_UPDATE", user, item);
  }
  world.tree.changed(item, user, world.now());
}

/** What is to change, if the rules allow it together with what stays. */
function checked(world: World, item: Item, wanted: Json): Partial<SharedLink> {
  const access = accessIn(wanted) ?? item.link?.access ?? world.settings.linkDefaultAccess;
  const permissions = objectIn(wanted, "permissions");
  const canDownload = flagIn(permissions, "can_download");
  const canEdit = flagIn(permissions, "can_edit");
  if (access === "collaborators" && canDownload !== undefined) {
    throw badRequest("can_download can only be set for access open or company");
  }
  if (canEdit === true && (item.kind === "folder" || canDownload === false)) {
    throw badRequest("can_edit is for files that can be downloaded");
  }
  const change: Partial<SharedLink> = { access, ...passwordIn(wanted, access) };
  if (canDownload !== undefined) change.canDownload = canDownload;
  if (access === "collaborators") change.canDownload = true;
  if (canEdit !== undefined) change.canEdit = canEdit;
  if (wanted["unshared_at"] !== undefined) {
    change.unsharedAt = sentDate(wanted["unshared_at"], "unshared_at");
    if (change.unsharedAt !== undefined && change.unsharedAt <= world.now()) {
      throw badRequest("unshared_at is in the past");
    }
  }
  const vanity = wanted["vanity_name"];
  if (vanity !== undefined) {
    if (vanity !== null && (typeof vanity !== "string" || !/^[\w-]{12,30}$/.test(vanity))) {
      throw badRequest("vanity_name has 12 to 30 letters, digits and hyphens");
    }
    change.vanityName = vanity ?? undefined;
  }
  return change;
}

function accessIn(wanted: Json): LinkAccess | undefined {
  const access = wanted["access"];
  if (access === undefined || access === null) return undefined;
  if (access === "open" || access === "company" || access === "collaborators") return access;
  throw badRequest("Invalid value for access");
}

/** A password is for open links; it has a number, a capital or another sign, and 8 characters at least. */
function passwordIn(wanted: Json, access: LinkAccess): Partial<SharedLink> {
  const { password } = wanted;
  if (password === null || (password === undefined && access !== "open")) {
    return { password: undefined };
  }
  if (password === undefined) return {};
  if (access !== "open") throw badRequest("A password is for links with access open");
  if (typeof password !== "string" || password.length < 8 || !/[^a-z]/.test(password)) {
    throw badRequest("The password is too weak");
  }
  return { password };
}
