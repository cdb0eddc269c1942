import { identitySchema } from "../../evidence/identity.ts";
import { shareSchema } from "../../evidence/share.ts";
import type { Accounts } from "../../evidence/ports/accounts.ts";
import {
  identitiesPath,
  identityListSchema,
  identityReportsSchema,
  invitationListSchema,
  invitationsPath,
  newInvitationSchema,
} from "../../protocol/accounts.ts";
import { shareListSchema, sharesPath } from "../../protocol/shares.ts";
import type { Session } from "./session.ts";

/** The people of an exhibit server, as far as the session's identity may see and change them. */
export function accountsOf(session: Session): Accounts {
  const get = async (path: string, signal: AbortSignal): Promise<unknown> =>
    (await session.call({ method: "GET", path }, signal)).body;
  const post = async (path: string, body: unknown, signal: AbortSignal): Promise<unknown> =>
    (await session.call({ method: "POST", path, body }, signal)).body;
  const remove = async (path: string, id: string, signal: AbortSignal): Promise<void> => {
    await session.call({ method: "DELETE", path: `${path}/${encodeURIComponent(id)}` }, signal);
  };
  return {
    me: async (signal) => identitySchema.parse(await get(`${identitiesPath}/me`, signal)),
    invite: async (request, signal) => {
      const call = { method: "POST", path: invitationsPath, body: request, once: true } as const;
      return newInvitationSchema.parse((await session.call(call, signal)).body);
    },
    invitations: async (signal) =>
      invitationListSchema.parse(await get(invitationsPath, signal)).invitations,
    revokeInvitation: (id, signal) => remove(invitationsPath, id, signal),
    identities: async (signal) =>
      identityListSchema.parse(await get(identitiesPath, signal)).identities,
    identityReports: async (signal) =>
      identityReportsSchema.parse(await get(`${identitiesPath}/report`, signal)).identities,
    enrolKey: async (request, signal) =>
      identitySchema.parse(await post(identitiesPath, request, signal)),
    restoreIdentity: async (id, signal) =>
      identitySchema.parse(
        await post(`${identitiesPath}/${encodeURIComponent(id)}/restore`, undefined, signal),
      ),
    sharesOf: async (identity, signal) => {
      const call = { method: "GET", path: sharesPath, query: { of: identity } } as const;
      return shareListSchema.parse((await session.call(call, signal)).body).shares;
    },
    reassignShare: async (share, to, signal) =>
      shareSchema.parse(
        await post(`${sharesPath}/${encodeURIComponent(share)}/reassign`, { to }, signal),
      ),
    revokeIdentity: (id, signal) => remove(identitiesPath, id, signal),
  };
}
