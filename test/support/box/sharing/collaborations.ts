import type { Role } from "../accounts/rights.ts";
import type { User } from "../accounts/users.ts";
import type { Item } from "../items/items.ts";

/** Somebody's role on an item that is not theirs. */
export interface Collaboration {
  readonly id: string;
  readonly item: Item;
  /** Undefined while the address has no account. */
  user: User | undefined;
  readonly invitedEmail: string | undefined;
  role: Role;
  accepted: boolean;
  expiresAt: Date | undefined;
  readonly by: User;
  readonly createdAt: Date;
  modifiedAt: Date;
}
