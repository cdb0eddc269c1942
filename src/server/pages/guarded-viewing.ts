import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { logAccess } from "../shares/access-log.ts";
import type { ShareDesk } from "../shares/share-desk.ts";
import { visitOf, visitorOf, type LinkRoute, type Viewing } from "./visit.ts";

/** Everything below a link is for sessions that stand; each request is checked against the database. */
export interface GuardedViewing {
  /** Whose request it is. */
  of(request: FastifyRequest): Viewing;
}

/**
 * Guards every route registered in `scope`: a stranger gets the same 404 for every link and address, someone
 * whose share has ended a 410.
 */
export function guardViewing(scope: FastifyInstance, desk: ShareDesk): GuardedViewing {
  const viewings = new WeakMap<FastifyRequest, Viewing>();
  scope.addHook<LinkRoute>("onRequest", async (request, reply) => {
    const visit = await visitOf(desk, request);
    if (visit.state === "viewing") {
      viewings.set(request, visit);
      return;
    }
    if (visit.state === "ended") {
      const { share, session, reason } = visit;
      await logAccess(desk.deps.database, desk.deps.clock, {
        share: share.id,
        session: session.id,
        kind: `refused-${reason}`,
        from: visitorOf(request),
      });
      return sendEnded(reply);
    }
    return reply.code(404).type("text/plain; charset=utf-8").send("There is nothing here.\n");
  });
  return {
    of: (request) => {
      const viewing = viewings.get(request);
      if (viewing === undefined) throw new Error("This route is not guarded.");
      return viewing;
    },
  };
}

/** The answer where a share has ended: gone, and not coming back. */
export function sendEnded(reply: FastifyReply): FastifyReply {
  return reply.code(410).type("text/plain; charset=utf-8").send("This link has ended.\n");
}
