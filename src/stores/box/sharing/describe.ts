import { ExhibitError } from "../../../evidence/errors.ts";
import type { Share } from "../../../evidence/share.ts";
import type { BoxAccount } from "../enterprise/account.ts";
import type { ShareEvent } from "./documents.ts";
import type { ShelvedShare } from "./shelf.ts";

/** When all of a share was taken away; undefined while it is not. */
export function revokedAt({ events }: ShelvedShare): string | undefined {
  return events.find(({ event }) => event === "revoked" || event === "abandoned")?.at;
}

/** True for what was never a share: making it failed, and all of it was taken away again. */
export function wasAbandoned({ events }: ShelvedShare): boolean {
  return events.some(({ event }) => event === "abandoned");
}

/** The exhibits that were taken out of a share, each with when that was. */
export function takenOut({ events }: ShelvedShare): ReadonlyMap<string, string> {
  const out = new Map<string, string>();
  for (const { event, exhibit, at } of events) {
    if (event === "exhibit-revoked" && exhibit !== undefined) out.set(exhibit, at);
  }
  return out;
}

/** When a share ends, by what was last done. */
export function endOf({ intent, document, events }: ShelvedShare): string {
  return lastEnd(events) ?? document?.expiresAt ?? intent.expiresAt;
}

function lastEnd(events: readonly ShareEvent[]): string | undefined {
  return events.findLast(({ event }) => event === "updated")?.expiresAt;
}

/** A share as its creator sees it. */
export function describe(shelved: ShelvedShare, now: Date): Share {
  const { id, recipient, access, purpose, createdAt, exhibits } = shelved.intent;
  const revoked = revokedAt(shelved);
  const out = takenOut(shelved);
  const expiresAt = endOf(shelved);
  return {
    id,
    recipient,
    access,
    ...(purpose === undefined ? {} : { purpose }),
    createdAt,
    expiresAt,
    ...(revoked === undefined ? {} : { revokedAt: revoked }),
    exhibits: exhibits.map((exhibit) => {
      const at = out.get(exhibit.id) ?? revoked;
      return { ...exhibit, ...(at === undefined ? {} : { revokedAt: at }) };
    }),
    state: stateOf(shelved, revoked, expiresAt, now),
  };
}

function stateOf(
  { document }: ShelvedShare,
  revoked: string | undefined,
  expiresAt: string,
  now: Date,
): Share["state"] {
  if (revoked !== undefined) return "revoked";
  if (document === undefined) return "unfinished";
  return Date.parse(expiresAt) <= now.getTime() ? "expired" : "open";
}

/** Only who made a share changes it. @throws ExhibitError `policy.role` */
export function requireOwn({ intent }: ShelvedShare, { id }: BoxAccount): void {
  if (intent.createdBy === id) return;
  throw new ExhibitError(
    "policy.role",
    `Another officer made this share: the Box user with the id ${intent.createdBy}.`,
    {
      hint: "Have them do it. In an emergency Box's administrator can take the link or the invitation away in Box.",
      facts: { createdBy: intent.createdBy },
    },
  );
}
