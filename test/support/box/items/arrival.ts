import { createHash } from "node:crypto";
import { planOf, spaceOf } from "../accounts/user-routes.ts";
import type { User } from "../accounts/users.ts";
import { Refusal } from "../http/answer.ts";
import { textIn, type Json } from "../http/json.ts";
import type { World } from "../world.ts";
import { sentDate } from "./dates.ts";
import type { Content, File, Folder } from "./items.ts";

/** Refuses a size that is beyond the plan or the space of whoever owns the folder. */
export function checkRoom(world: World, owner: User, size: number): void {
  if (size > planOf(world, owner)) {
    throw new Refusal(
      403,
      "file_size_limit_exceeded",
      "File size exceeds the folder owner's file size limit",
    );
  }
  if (owner.spaceUsed + size > spaceOf(world, owner)) {
    throw new Refusal(403, "storage_limit_exceeded", "Account storage limit reached");
  }
}

/** What may be said of a file as it is made. */
export interface Attributes {
  readonly contentCreatedAt: Date | undefined;
  readonly contentModifiedAt: Date | undefined;
  readonly description: string | undefined;
}

export function attributesIn(body: Json): Attributes {
  return {
    contentCreatedAt: sentDate(body["content_created_at"], "content_created_at"),
    contentModifiedAt: sentDate(body["content_modified_at"], "content_modified_at"),
    description: textIn(body, "description"),
  };
}

/** Puts a new file in its folder. */
export function fileArrives(
  world: World,
  folder: Folder,
  birth: { readonly name: string; readonly by: User },
  content: Content,
  attributes: Attributes,
): File {
  const { downloadNotReady } = world.settings;
  const file = world.tree.addFile(
    folder,
    { ...birth, now: world.now() },
    content,
    downloadNotReady,
  );
  describe(file, attributes);
  world.events.add("UPLOAD", birth.by, file, { size: content.size });
  return file;
}

/** Puts a new version over the old one. */
export function versionArrives(
  world: World,
  file: File,
  by: User,
  content: Content,
  attributes: Attributes,
): void {
  world.tree.addVersion(file, { by, now: world.now() }, content);
  file.notReady = world.settings.downloadNotReady;
  describe(file, attributes);
  world.events.add("UPLOAD", by, file, { size: content.size });
}

export function contentOf(bytes: Buffer): Content {
  const sha1 = createHash("sha1").update(bytes).digest("hex");
  return { buffers: bytes.length === 0 ? [] : [bytes], size: bytes.length, sha1 };
}

function describe(file: File, attributes: Attributes): void {
  const { contentCreatedAt, contentModifiedAt, description } = attributes;
  if (contentCreatedAt !== undefined) file.contentCreatedAt = contentCreatedAt;
  if (contentModifiedAt !== undefined) file.contentModifiedAt = contentModifiedAt;
  if (description !== undefined) file.description = description;
}
