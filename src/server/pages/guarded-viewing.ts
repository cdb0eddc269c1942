import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { logAccess } from "../shares/access-log.ts";
import { limitGroup } from "../shares/client-address.ts";
import type { ShareDesk } from "../shares/share-desk.ts";
import type { StoredShare } from "../shares/share-rows.ts";
import { SlidingLimit } from "../shares/sliding-limit.ts";
import { visitOf, visitorOf, type LinkRoute, type Viewing } from "./visit.ts";

/** Requests without a session below a link: how many of one client, on one link, are logged in an hour. */
const mostStrangers = 240;

/** What one viewing session may ask for in ten minutes: six times what watching at normal speed takes. */
const mostRequests = 2000;
const viewingWindowMs = 600_000;

/** Everything below a link is for sessions that stand; each request is checked against the database. */
export interface GuardedViewing {
  /** Whose request it is. */
  of(request: FastifyRequest): Viewing;
}

/**
 * Guards every route registered in `scope`: a stranger gets the same 404 for every link and address, someone
 * whose share has ended a 410, someone whose session is over a 403. The access log has those without a session and those
 * whose share has ended.
 */
export function guardViewing(scope: FastifyInstance, desk: ShareDesk): GuardedViewing {
  const strangers = new SlidingLimit(desk.deps.clock, mostStrangers, 3_600_000);
  const requests = new SlidingLimit(desk.deps.clock, mostRequests, viewingWindowMs);
  const viewings = new WeakMap<FastifyRequest, Viewing>();
  scope.addHook<LinkRoute>("onRequest", async (request, reply) => {
    const visit = await visitOf(desk, request);
    if (visit.state === "viewing") {
      const waitMs = requests.waitMs(visit.session.id);
      if (waitMs > 0) return sendLimited(reply, waitMs);
      requests.add(visit.session.id);
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
    if (visit.state === "timed-out") {
      return reply.code(403).type("text/plain; charset=utf-8").send("Give the code again.\n");
    }
    noteStranger(visit.share, request, reply);
    return reply.code(404).type("text/plain; charset=utf-8").send("There is nothing here.\n");
  });

  function noteStranger(
    share: StoredShare | undefined,
    request: FastifyRequest,
    reply: FastifyReply,
  ): void {
    if (share === undefined) return;
    const key = `${share.id} ${limitGroup(request.ip)}`;
    if (strangers.waitMs(key) > 0) return;
    strangers.add(key);
    const detail = "refused: no code given";
    desk.late.after(reply, { share: share.id, kind: "prefetch", from: visitorOf(request), detail });
  }

  return {
    of: (request) => {
      const viewing = viewings.get(request);
      if (viewing === undefined) throw new Error("This route is not guarded.");
      return viewing;
    },
  };
}

function sendLimited(reply: FastifyReply, waitMs: number): FastifyReply {
  return reply
    .code(429)
    .header("retry-after", Math.ceil(waitMs / 1000))
    .type("text/plain; charset=utf-8")
    .send("Too much was asked for at once. It goes on in a few minutes.\n");
}

/** The answer where a share has ended: gone, and not coming back. */
export function sendEnded(reply: FastifyReply): FastifyReply {
  return reply.code(410).type("text/plain; charset=utf-8").send("This link has ended.\n");
}
