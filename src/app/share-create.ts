import {
  accessSchema,
  recipientSchema,
  type Recipient,
  type ShareAccess,
} from "../evidence/share.ts";
import type { NewShare } from "../evidence/ports/sharing.ts";
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
}

/**
 * Shares exhibits with one named person. Link and code are secrets and shown this once; nothing is sent to anyone.
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
    const exhibits: string[] = [];
    for (const name of request.exhibits) {
      const { id } = await findExhibit(connection.register, name, signal);
      if (!exhibits.includes(id)) exhibits.push(id);
    }
    const serverNow = deps.clock.now().getTime() - (connection.clockOffsetMs ?? 0);
    const expiresAt = new Date(serverNow + request.expiresInSeconds * 1000).toISOString();
    return sharing.create(
      { exhibits, recipient, access, expiresAt, purpose: request.purpose },
      signal,
    );
  });
}
