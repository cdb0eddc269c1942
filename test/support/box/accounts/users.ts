import type { Folder } from "../items/items.ts";

export interface User {
  readonly id: string;
  readonly name: string;
  readonly login: string;
  readonly role: "admin" | "coadmin" | "user";
  /** Of the enterprise; of another one; the application's own account. */
  readonly kind: "managed" | "external" | "service";
  readonly enterpriseId: string;
  readonly createdAt: Date;
  readonly root: Folder;
  /** Instead of the usual ones in the settings, in bytes. */
  spaceBytes: number | undefined;
  planFileBytes: number | undefined;
  spaceUsed: number;
}

export interface Person {
  readonly name: string;
  readonly login: string;
  readonly role?: User["role"];
  readonly kind?: User["kind"];
  readonly spaceBytes?: number;
  readonly planFileBytes?: number;
}

/** Who Box says it was when nobody was signed in. */
export const anonymous = { id: "2", name: "Anonymous User", login: "" } as const;

export function userMini(user: { id: string; name: string; login: string }): {
  readonly type: "user";
  readonly id: string;
  readonly name: string;
  readonly login: string;
} {
  return { type: "user", id: user.id, name: user.name, login: user.login };
}
