import type { Access } from "../accounts/access.ts";
import { rightsOn, roles } from "../accounts/rights.ts";
import { userMini } from "../accounts/users.ts";
import type { World } from "../world.ts";
import { boxDate } from "./dates.ts";
import { currentVersion, isMarked, isRoot, withParents, type Folder, type Item } from "./items.ts";
import { sizeOf } from "./tree.ts";

type Body = Record<string, unknown>;

/** What a list and a conflict show of an item. */
export function miniBody(item: Item): Body {
  if (isRoot(item)) {
    return { type: "folder", id: "0", sequence_id: null, etag: null, name: item.name };
  }
  const { id, name, etag } = item;
  const common = { type: item.kind, id, sequence_id: String(etag), etag: String(etag), name };
  if (item.kind === "folder") return common;
  const version = currentVersion(item);
  const { sha1 } = version.content;
  return { ...common, sha1, file_version: { type: "file_version", id: version.id, sha1 } };
}

export function conflictBody(item: Item): Body {
  return miniBody(item);
}

/** An item as one asker sees it: the usual fields, or those that were asked for beside type, id and etag. */
export function itemBody(
  world: World,
  access: Access,
  item: Item,
  fields: readonly string[] | undefined,
): Body {
  const common = usual(access, item);
  const all: Getters = { ...common, ...special(world, access, item) };
  const body: Body = {};
  const { type, id, etag } = miniBody(item);
  if (fields !== undefined) Object.assign(body, { type, id, etag });
  const names = fields ?? [
    ...Object.keys(common),
    ...(world.settings.linkUnasked ? ["shared_link"] : []),
  ];
  for (const name of names) {
    const value = all[name];
    if (value !== undefined) body[name] = value();
  }
  return body;
}

type Getters = Record<string, () => unknown>;

function usual(access: Access, item: Item): Getters {
  const mini = miniBody(item);
  const getters: Getters = {};
  for (const [name, value] of Object.entries(mini)) getters[name] = () => value;
  return {
    ...getters,
    description: () => item.description,
    size: () => sizeOf(item),
    path_collection: () => path(access, item),
    created_at: () => (isRoot(item) ? null : boxDate(item.createdAt)),
    modified_at: () => (isRoot(item) ? null : boxDate(item.modifiedAt)),
    trashed_at: () => null,
    purged_at: () => null,
    content_created_at: () => contentDate(item, "contentCreatedAt"),
    content_modified_at: () => contentDate(item, "contentModifiedAt"),
    created_by: () =>
      isRoot(item) ? { type: "user", id: "", name: "", login: "" } : userMini(item.creator),
    modified_by: () => userMini(item.modifiedBy),
    owned_by: () => userMini(item.owner),
    parent: () => parentBody(access, item),
    item_status: () => "active",
    ...(item.kind === "folder" ? { folder_upload_email: () => null } : {}),
  };
}

/** Given only where they are asked for. */
function special(world: World, access: Access, item: Item): Getters {
  const rights = () => rightsOn(world, access, item);
  return {
    shared_link: () => (item.link === undefined ? null : world.links.body(item.link)),
    watermark_info: () => ({
      is_watermarked: isMarked(item),
      is_watermark_inherited: item.marked === undefined && isMarked(item),
      is_watermarked_by_access_policy: false,
    }),
    permissions: () => permissions(rights(), item),
    has_collaborations: () => item.collaborations.size > 0,
    is_externally_owned: () => item.owner.enterpriseId !== access.user.enterpriseId,
    allowed_invitee_roles: () => roles.filter((role) => role !== "owner"),
    tags: () => [],
    version_number: () => (item.kind === "file" ? String(item.versions.length) : undefined),
    extension: () => (item.kind === "file" ? extension(item.name) : undefined),
    comment_count: () => 0,
    uploader_display_name: () => item.creator.name,
    metadata: () => world.metadata.inlined(item),
    ...(item.kind === "folder"
      ? { allowed_shared_link_access_levels: () => ["collaborators", "open", "company"] }
      : { lock: () => null, expires_at: () => null, disposition_at: () => null }),
  };
}

function permissions(rights: ReadonlySet<string>, item: Item): Body {
  const has = (right: string) => rights.has(right);
  const common = {
    can_delete: has("edit"),
    can_download: has("download"),
    can_invite_collaborator: has("invite"),
    can_rename: has("edit"),
    can_set_share_access: has("edit"),
    can_share: has("share"),
  };
  if (item.kind === "folder") return { ...common, can_upload: has("upload") };
  return {
    ...common,
    can_annotate: has("edit"),
    can_comment: has("see"),
    can_preview: has("see"),
    can_upload: has("edit"),
    can_view_annotations_all: has("see"),
    can_view_annotations_self: has("see"),
  };
}

function contentDate(item: Item, name: "contentCreatedAt" | "contentModifiedAt"): string | null {
  if (isRoot(item)) return null;
  return boxDate(item.kind === "file" ? item[name] : item.createdAt);
}

/** From the asker's root down. What was shared with the asker lies in their root. */
function path(access: Access, item: Item): Body {
  const above = foldersAbove(access, item);
  return { total_count: above.length, entries: above.map(miniBody) };
}

function parentBody(access: Access, item: Item): Body | null {
  const parent = foldersAbove(access, item).at(-1);
  return parent === undefined ? null : miniBody(parent);
}

function foldersAbove(access: Access, item: Item): Folder[] {
  if (isRoot(item)) return [];
  const above: Folder[] = [];
  for (const one of withParents(item)) {
    if (one !== item && !isRoot(one)) above.unshift(one as Folder);
    if (one.owner !== access.user && sharedDirectly(access, one)) break;
  }
  return [access.user.root, ...above];
}

function sharedDirectly(access: Access, item: Item): boolean {
  return [...item.collaborations].some(({ user }) => user === access.user);
}

function extension(name: string): string {
  return /\.([^.]*)$/.exec(name)?.[1] ?? "";
}
