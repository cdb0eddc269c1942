import { randomBytes } from "node:crypto";
import { anonymous, userMini, type User } from "../accounts/users.ts";
import { boxDate } from "../items/dates.ts";
import type { Item } from "../items/items.ts";
import { miniBody } from "../items/bodies.ts";

/** What happened, in the words of the enterprise's stream. */
export interface BoxEvent {
  readonly id: string;
  readonly type: string;
  /** The user stream's word, where that stream tells of it. */
  readonly userType: string | undefined;
  readonly at: Date;
  /** Undefined for nobody who was signed in. */
  readonly by: User | undefined;
  readonly item: Item | undefined;
  /** As they were when it happened. */
  readonly source: Record<string, unknown> | null;
  readonly full: Record<string, unknown> | null;
  readonly details: Record<string, unknown>;
}

/** The user stream's words for what both streams tell of. */
const userTypes: Readonly<Record<string, string>> = {
  UPLOAD: "ITEM_UPLOAD",
  DOWNLOAD: "ITEM_DOWNLOAD",
  PREVIEW: "ITEM_PREVIEW",
  CREATE: "ITEM_CREATE",
  COPY: "ITEM_COPY",
  MOVE: "ITEM_MOVE",
  RENAME: "ITEM_RENAME",
  DELETE: "ITEM_TRASH",
  SHARE: "ITEM_SHARED_CREATE",
  ITEM_SHARED_UPDATE: "ITEM_SHARED",
  UNSHARE: "ITEM_SHARED_UNSHARE",
  COLLABORATION_INVITE: "COLLAB_INVITE_COLLABORATOR",
  COLLABORATION_ACCEPT: "COLLAB_ADD_COLLABORATOR",
  COLLABORATION_REMOVE: "COLLAB_REMOVE_COLLABORATOR",
  COLLABORATION_ROLE_CHANGE: "COLLAB_ROLE_CHANGE",
  WATERMARK_LABEL_CREATE: "WATERMARK_LABEL_CREATE",
  WATERMARK_LABEL_DELETE: "WATERMARK_LABEL_DELETE",
};

/** All that happened, oldest first. */
export class EventLog {
  readonly all: BoxEvent[] = [];

  private readonly now: () => Date;

  constructor(now: () => Date) {
    this.now = now;
  }

  add(
    type: string,
    by: User | undefined,
    item: Item | undefined,
    details: Record<string, unknown> = {},
  ): void {
    this.all.push({
      id: randomBytes(16).toString("hex"),
      type,
      userType: userTypes[type],
      at: this.now(),
      by,
      item,
      source: item === undefined ? null : sourceBody(item),
      full: item === undefined ? null : fullBody(item),
      details,
    });
  }
}

/** What an event of the enterprise says of the item. */
function sourceBody(item: Item): Record<string, unknown> {
  return {
    item_type: item.kind,
    item_id: item.id,
    item_name: item.name,
    ...(item.parent === undefined
      ? {}
      : { parent: { type: "folder", id: item.parent.id, name: item.parent.name } }),
    owned_by: userMini(item.owner),
  };
}

/** What an event of a user's own stream says of it. */
function fullBody(item: Item): Record<string, unknown> {
  return {
    ...miniBody(item),
    ...(item.parent === undefined ? {} : { parent: miniBody(item.parent) }),
    owned_by: userMini(item.owner),
    item_status: "active",
  };
}

/** An event as the streams give it. */
export function eventBody(event: BoxEvent, stream: "user" | "enterprise"): Record<string, unknown> {
  const common = {
    type: "event",
    event_id: event.id,
    created_at: boxDate(event.at),
    created_by: userMini(event.by ?? anonymous),
  };
  if (stream === "user") {
    return {
      ...common,
      recorded_at: boxDate(event.at),
      event_type: event.userType,
      source: event.full,
    };
  }
  return {
    ...common,
    event_type: event.type,
    ip_address: "127.0.0.1",
    source: event.source,
    additional_details: event.details,
  };
}
