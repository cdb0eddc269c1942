import type { Role } from "../accounts/rights.ts";
import type { User } from "../accounts/users.ts";
import { userMini } from "../accounts/users.ts";
import type { EventLog } from "../audit/events.ts";
import { boxDate } from "../items/dates.ts";
import { miniBody } from "../items/bodies.ts";
import type { Item } from "../items/items.ts";

/** Somebody's role on an item that is not theirs. */
export interface Collaboration {
  readonly id: string;
  readonly item: Item;
  /** Undefined while the address has no account. */
  readonly user: User | undefined;
  readonly invitedEmail: string | undefined;
  role: Role;
  accepted: boolean;
  expiresAt: Date | undefined;
  readonly by: User;
  readonly createdAt: Date;
  modifiedAt: Date;
}

/** All collaborations that are not over. */
export class Collaborations {
  private readonly byId = new Map<string, Collaboration>();
  private readonly now: () => Date;
  private readonly events: EventLog;

  constructor(now: () => Date, events: EventLog) {
    this.now = now;
    this.events = events;
  }

  add(collaboration: Collaboration): void {
    this.byId.set(collaboration.id, collaboration);
    collaboration.item.collaborations.add(collaboration);
  }

  remove(collaboration: Collaboration): void {
    this.byId.delete(collaboration.id);
    collaboration.item.collaborations.delete(collaboration);
  }

  get(id: string): Collaboration | undefined {
    const found = this.byId.get(id);
    return found === undefined || this.isOver(found) ? undefined : found;
  }

  all(): Collaboration[] {
    return [...this.byId.values()].filter((one) => !this.isOver(one));
  }

  on(item: Item): Collaboration[] {
    return [...item.collaborations].filter((one) => !this.isOver(one));
  }

  /** Takes away what has run out. */
  private isOver(collaboration: Collaboration): boolean {
    const { expiresAt, item } = collaboration;
    if (expiresAt === undefined || expiresAt > this.now()) return false;
    this.remove(collaboration);
    this.events.add("COLLABORATION_EXPIRATION", undefined, item);
    return true;
  }
}

export function collaborationBody(one: Collaboration): Record<string, unknown> {
  return {
    type: "collaboration",
    id: one.id,
    created_by: userMini(one.by),
    created_at: boxDate(one.createdAt),
    modified_at: boxDate(one.modifiedAt),
    expires_at: one.expiresAt === undefined ? null : boxDate(one.expiresAt),
    status: one.accepted ? "accepted" : "pending",
    accessible_by: one.user === undefined ? null : userMini(one.user),
    invite_email: one.user === undefined ? (one.invitedEmail ?? null) : null,
    role: one.role,
    ...(one.accepted ? { acknowledged_at: boxDate(one.createdAt) } : {}),
    item: one.accepted || one.user === undefined ? miniBody(one.item) : null,
    is_access_only: false,
  };
}
