import type { FastifyInstance } from "fastify";
import { z } from "zod";
import {
  newShareRequestSchema,
  reassignShareSchema,
  renewSchema,
  revokeSchema,
  sharesPath,
  updateShareSchema,
  type revocationSchema,
  type shareListSchema,
  type shareLogSchema,
} from "../../protocol/shares.ts";
import type { Share } from "../../evidence/share.ts";
import { sharesLimit } from "../rate-limits.ts";
import { readAccesses } from "./access-log.ts";
import { createShare } from "./create-share.ts";
import { reassignShare } from "./reassign-share.ts";
import { renewShare } from "./renew-share.ts";
import { revokeShare } from "./revoke-share.ts";
import type { ShareDesk } from "./share-desk.ts";
import { describeShare, ownShare, ownShares } from "./share-rows.ts";
import { updateShare } from "./update-share.ts";

const config = { access: ["admin", "officer"] } as const;
const querySchema = z.strictObject({ of: z.string().max(64).optional() });
const paramsSchema = z.object({ id: z.string().max(40) });

/** The officer's side: make, list, show and revoke shares, and read who used them. */
export function shareRoutes(app: FastifyInstance, desk: ShareDesk): void {
  const { database, clock } = desk.deps;

  app.post(
    sharesPath,
    { config: { ...config, rateLimit: sharesLimit } },
    async (request, reply) => {
      const wanted = newShareRequestSchema.parse(request.body);
      const gone = new AbortController();
      reply.raw.once("close", () => {
        gone.abort();
      });
      return reply.code(201).send(await createShare(desk, request.caller, wanted, gone.signal));
    },
  );

  app.get(sharesPath, { config }, async (request) => {
    const now = clock.now();
    const shares: Share[] = [];
    const { of } = querySchema.parse(request.query);
    for (const row of await ownShares(database, request.caller, of)) {
      shares.push(await describeShare(database, row, now));
    }
    return { shares } satisfies z.input<typeof shareListSchema>;
  });

  app.get(`${sharesPath}/:id`, { config }, async (request) => {
    const { id } = paramsSchema.parse(request.params);
    return describeShare(database, await ownShare(database, request.caller, id), clock.now());
  });

  app.get(`${sharesPath}/:id/log`, { config }, async (request) => {
    const { id } = paramsSchema.parse(request.params);
    const share = await ownShare(database, request.caller, id);
    await desk.late.settled();
    const events = await readAccesses(database, share.id);
    return { events } satisfies z.input<typeof shareLogSchema>;
  });

  app.post(`${sharesPath}/:id/update`, { config }, async (request) => {
    const { id } = paramsSchema.parse(request.params);
    const { expiresAt } = updateShareSchema.parse(request.body);
    return updateShare(desk, request.caller, id, expiresAt);
  });

  app.post(`${sharesPath}/:id/reassign`, { config: { access: ["admin"] } }, async (request) => {
    const { id } = paramsSchema.parse(request.params);
    const { to } = reassignShareSchema.parse(request.body);
    return reassignShare(desk, request.caller, id, to);
  });

  const renewing = { ...config, rateLimit: sharesLimit };
  app.post(`${sharesPath}/:id/renew`, { config: renewing }, async (request) => {
    const { id } = paramsSchema.parse(request.params);
    const { mail } = renewSchema.parse(request.body);
    return renewShare(desk, request.caller, id, mail);
  });

  app.post(`${sharesPath}/:id/revoke`, { config }, async (request) => {
    const { id } = paramsSchema.parse(request.params);
    const { exhibit } = revokeSchema.parse(request.body ?? {});
    const outcome = await revokeShare(desk, request.caller, id, exhibit);
    return outcome satisfies z.input<typeof revocationSchema>;
  });
}
