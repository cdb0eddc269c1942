import type { Invitation, Role } from "../evidence/identity.ts";
import { organisationSchema } from "../evidence/identity.ts";
import { accountsOf } from "./abilities.ts";
import { checked } from "./checked.ts";
import { connected } from "./connected.ts";
import type { Deps } from "./deps.ts";

export interface InviteCreateRequest {
  readonly store?: string;
  readonly role: Role;
  readonly organisation: string;
  readonly expiresInSeconds: number;
  readonly quotaBytes?: number;
}

/** Invites one person, partner or machine. The code is a secret and shown this once. @throws ExhibitError `policy.role` */
export async function createInvitation(
  deps: Pick<Deps, "connect">,
  request: InviteCreateRequest,
  signal: AbortSignal,
): Promise<{ invitation: Invitation; code: string }> {
  const organisation = checked(organisationSchema, request.organisation, "The organisation");
  const { role, expiresInSeconds, quotaBytes } = request;
  return connected(deps, request.store, (connection) =>
    accountsOf(connection).invite({ role, organisation, expiresInSeconds, quotaBytes }, signal),
  );
}
