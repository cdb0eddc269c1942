import { PassThrough } from "node:stream";
import type { FastifyInstance } from "fastify";
import { z } from "zod";
import { caseSchema } from "../../evidence/case.ts";
import type { Identity } from "../../evidence/identity.ts";
import {
  followSchema,
  inboxCasesPath,
  inboxEventsPath,
  inboxPath,
  inboxSeenPath,
  seenSchema,
} from "../../protocol/inbox.ts";
import { findIdentity } from "../accounts/identities.ts";
import type { ServerDeps } from "../deps.ts";
import { ArrivalWatch } from "./arrival-watch.ts";
import { arrivalsAfter, latestArrival } from "./arrivals.ts";
import { listOwnCases, markSeen, seenUpTo, setFollowed } from "./own-cases.ts";

const config = { access: ["admin", "officer"] } as const;

/** How often a line that stands still is heard of, and its holder's access looked at. */
const beatMs = 3000;
/** So long one line lasts: less than an access token. */
const longestMs = 5 * 60_000;
/** More lines of one identity than this at once is nobody looking. */
const mostLines = 20;

const number = z.coerce.number().int().nonnegative();
const querySchema = z.strictObject({
  case: caseSchema.optional(),
  since: z.iso.datetime({ offset: true }).optional(),
  after: number.optional(),
});

/** Asked for, because a line that began at its own now would leave out what landed just before. */
const headersSchema = z.object({ "last-event-id": number });

/** What has landed in the caller's cases (`protocol/inbox.ts`). */
export function inboxRoutes(app: FastifyInstance, deps: ServerDeps): void {
  const { database, clock } = deps;
  const watch = new ArrivalWatch(database);
  const lines = new Map<string, number>();
  const stop = new AbortController();
  app.addHook("preClose", (done) => {
    stop.abort();
    done();
  });

  app.get(inboxPath, { config }, async (request) => {
    const { after, since, case: caseRef } = querySchema.parse(request.query);
    const start = after ?? (since === undefined ? await seenUpTo(database, request.caller) : 0);
    // Times lie in the database in UTC, and are compared as text.
    const from = since === undefined ? undefined : new Date(since).toISOString();
    return arrivalsAfter(database, request.caller, { after: start, since: from, case: caseRef });
  });

  app.get(inboxEventsPath, { config, exposeHeadRoute: false }, async (request, reply) => {
    const { case: caseRef } = querySchema.parse(request.query);
    const { "last-event-id": after } = headersSchema.parse(request.headers);
    const { caller } = request;
    const open = lines.get(caller.id) ?? 0;
    if (open >= mostLines) return reply.code(503).header("retry-after", 30).send();
    lines.set(caller.id, open + 1);
    const line = new PassThrough();
    const gone = new AbortController();
    reply.raw.once("close", () => {
      gone.abort();
      line.destroy();
    });
    const signal = AbortSignal.any([stop.signal, gone.signal]);
    tell(line, caller, { after, case: caseRef }, signal)
      .catch((error: unknown) => {
        request.log.error(error);
      })
      .finally(() => {
        lines.set(caller.id, (lines.get(caller.id) ?? 1) - 1);
        line.end();
      });
    return reply.type("text/event-stream").headers({ "x-accel-buffering": "no" }).send(line);
  });

  app.post(inboxSeenPath, { config }, async (request, reply) => {
    const { upTo } = seenSchema.parse(request.body);
    await markSeen(database, request.caller, Math.min(upTo, await latestArrival(database)));
    return reply.code(204).send();
  });

  app.get(inboxCasesPath, { config }, async (request) => ({
    cases: await listOwnCases(database, request.caller),
  }));

  app.post(inboxCasesPath, { config }, async (request, reply) => {
    const { case: caseRef, follow } = followSchema.parse(request.body);
    await setFollowed(database, clock, request.caller, caseRef, follow);
    return reply.code(204).send();
  });

  /** Tells what lands until the line is gone or has lasted long enough; to nobody whose access was taken back. */
  async function tell(
    line: PassThrough,
    caller: Identity,
    from: { readonly after: number; readonly case: string | undefined },
    signal: AbortSignal,
  ): Promise<void> {
    const until = performance.now() + longestMs;
    let { after } = from;
    while (!signal.aborted && performance.now() < until) {
      const identity = await findIdentity(database, caller.id);
      if (identity === undefined || identity.revokedAt !== undefined) {
        line.write(`event: ended\ndata: {"code":"auth.identity-revoked"}\n\n`);
        return;
      }
      const { arrivals, upTo, isLast } = await arrivalsAfter(database, caller, { ...from, after });
      for (const arrival of arrivals) {
        line.write(`id: ${arrival.seq}\nevent: arrival\ndata: ${JSON.stringify(arrival)}\n\n`);
      }
      after = upTo;
      if (!isLast) continue;
      line.write("event: beat\ndata:\n\n");
      await watch.next(after, beatMs, signal);
    }
  }
}
