import type { FastifyInstance } from "fastify";
import { z } from "zod";
import type { Access } from "../access.ts";
import {
  enrolKeySchema,
  identitiesPath,
  invitationsPath,
  inviteSchema,
} from "../../protocol/accounts.ts";
import { newKeySchema, ownKeysPath } from "../../protocol/keys.ts";
import type { ServerDeps } from "../deps.ts";
import { invitationsLimit } from "../rate-limits.ts";
import { enrolKey, leaveWithKey } from "./enrol-key.ts";
import { listIdentities, restoreIdentity, revokeIdentity } from "./identities.ts";
import { endKey, registerKey } from "./identity-keys.ts";
import { reportIdentities } from "./identity-report.ts";
import { listInvitations, makeInvitation, revokeInvitation } from "./invitations.ts";
import { mountOauth } from "./oauth-mount.ts";

const admins: { config: { access: Access } } = { config: { access: ["admin"] } };
const everyone: { config: { access: Access } } = {
  config: { access: ["admin", "officer", "partner"] },
};
const keyShape = z.object({ thumbprint: z.string().max(64) });
const idShape = z.object({ id: z.string().max(64) });

/** Invitations and identities (`protocol/accounts.ts`), and the authorisation server behind them. */
export async function accountRoutes(app: FastifyInstance, deps: ServerDeps): Promise<void> {
  const making = { config: { ...admins.config, rateLimit: invitationsLimit } };
  app.post(invitationsPath, making, async (request, reply) => {
    const { quotaBytes, ...rest } = inviteSchema.parse(request.body);
    const made = await makeInvitation(deps, { ...rest, quotaBytes }, request.caller.id);
    request.log.info({ invitation: made.invitation.id, by: request.caller.id }, "invitation made");
    return reply.code(201).send(made);
  });

  app.get(invitationsPath, admins, async () => ({ invitations: await listInvitations(deps) }));

  app.delete(`${invitationsPath}/:id`, admins, async (request, reply) => {
    const { id } = idShape.parse(request.params);
    await revokeInvitation(deps, id);
    request.log.info({ invitation: id, by: request.caller.id }, "invitation revoked");
    return reply.code(204).send();
  });

  app.get(identitiesPath, admins, async () => ({
    identities: await listIdentities(deps.database),
  }));

  app.post(identitiesPath, admins, async (request, reply) => {
    const identity = await enrolKey(deps, enrolKeySchema.parse(request.body));
    request.log.info({ identity: identity.id, by: request.caller.id }, "key enrolled");
    return reply.code(201).send(identity);
  });

  app.get(`${identitiesPath}/report`, admins, async () => ({
    identities: await reportIdentities(deps),
  }));

  app.get(`${identitiesPath}/me`, everyone, (request) => request.caller);

  app.delete(`${identitiesPath}/me`, everyone, async (request, reply) => {
    await leaveWithKey(deps, request.caller);
    return reply.code(204).send();
  });

  app.post(ownKeysPath, everyone, async (request, reply) => {
    await registerKey(deps, request.caller, newKeySchema.parse(request.body));
    return reply.code(201).send({});
  });

  app.delete(`${ownKeysPath}/:thumbprint`, everyone, async (request, reply) => {
    await endKey(deps, request.caller, keyShape.parse(request.params).thumbprint);
    return reply.code(204).send();
  });

  app.post(`${identitiesPath}/:id/restore`, admins, async (request) => {
    const { id } = idShape.parse(request.params);
    const identity = await restoreIdentity(deps.database, id);
    request.log.info({ identity: id, by: request.caller.id }, "identity restored");
    return identity;
  });

  app.delete(`${identitiesPath}/:id`, admins, async (request, reply) => {
    const { id } = idShape.parse(request.params);
    await revokeIdentity(deps.database, id, deps.clock.now());
    request.log.info({ identity: id, by: request.caller.id }, "identity revoked");
    return reply.code(204).send();
  });

  await app.register((scope, _options, done) => {
    mountOauth(scope, deps);
    done();
  });
}
