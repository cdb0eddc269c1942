import {
  accessSchema,
  recipientSchema,
  type LinkReach,
  type Recipient,
  type ShareAccess,
} from "../evidence/share.ts";
import type { Connection } from "../evidence/ports/connection.ts";
import type { NewShare, ShareRequest } from "../evidence/ports/sharing.ts";
import { checked } from "./checked.ts";
import { connected } from "./connected.ts";
import type { Deps } from "./deps.ts";
import { findExhibit } from "./find-exhibit.ts";
import { sharingOf } from "./abilities.ts";

export interface ShareCreateRequest {
  readonly store?: string;
  /** As a person names them: `CASE:ABC/1`, ids, bare references. */
  readonly exhibits: readonly string[];
  readonly recipient: Recipient;
  readonly access: ShareAccess;
  readonly expiresInSeconds: number;
  readonly purpose?: string;
  /** Who can open the link; left out, the narrowest that reaches the recipient. */
  readonly link?: LinkReach;
  readonly requireVisibleMark?: boolean;
  /** False: link and code are handed over by hand, whatever the store could send. */
  readonly mail?: boolean;
  /** False: the recipient can leave no notes. */
  readonly notes?: boolean;
}

/**
 * Shares exhibits with one named person. Link and code are secrets and shown this once. A store that can sends the link by
 * mail, and codes later; what became of it is the share's `delivery`.
 *
 * @throws ExhibitError `policy.type-not-markable`, `policy.role`, `policy.unsupported`, `not-found.exhibit`, `usage.*`
 */
export async function createShare(
  deps: Pick<Deps, "connect" | "clock">,
  request: ShareCreateRequest,
  signal: AbortSignal,
): Promise<NewShare> {
  const recipient = checked(recipientSchema, request.recipient, "The recipient");
  const access = checked(accessSchema, request.access, "The access");
  return connected(deps, request.store, async (connection) => {
    const sharing = sharingOf(connection);
    const exhibits: ShareRequest["exhibits"][number][] = [];
    for (const name of request.exhibits) {
      const found = await findExhibit(connection.register, name, signal);
      if (!exhibits.some(({ id }) => id === found.id)) exhibits.push(found);
    }
    const expiresAt = endIn(deps, connection, request.expiresInSeconds);
    return sharing.create(
      {
        exhibits,
        recipient,
        access,
        expiresAt,
        purpose: request.purpose,
        ...(request.link === undefined ? {} : { link: request.link }),
        ...(request.mail === false ? { mail: false } : {}),
        ...(request.notes === false ? { notes: false } : {}),
        ...(request.requireVisibleMark === true ? { requireVisibleMark: true } : {}),
      },
      signal,
    );
  });
}

/** When a share ends that is to last for so long from now on, by the clock of the store. */
export function endIn(
  { clock }: Pick<Deps, "clock">,
  { clockOffsetMs }: Pick<Connection, "clockOffsetMs">,
  seconds: number,
): string {
  const storeNow = clock.now().getTime() - (clockOffsetMs ?? 0);
  return new Date(storeNow + seconds * 1000).toISOString();
}
