import { LogController, type FastifyInstance } from "fastify";

/** Silences Fastify's own request lines: they hold URLs, and ours hold keys and share tokens. */
export function quietRequestLog(): LogController {
  return new LogController({ disableRequestLogging: true, requestIdLogLabel: "requestId" });
}

/**
 * Logs one line a request: the route's pattern (`/s/:token`), never the address itself, so that no share token, key,
 * query or name can get into a log; no header and no body either.
 */
export function logRequests(app: FastifyInstance): void {
  app.addHook("onResponse", (request, reply, done) => {
    request.log.info(
      {
        method: request.method,
        route: request.is404 ? "unknown" : (request.routeOptions.url ?? "unknown"),
        status: reply.statusCode,
        ms: Math.round(reply.elapsedTime),
      },
      "request",
    );
    done();
  });
}
