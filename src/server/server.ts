import { fastify, type FastifyBaseLogger, type FastifyInstance } from "fastify";
import type { ServerOptions } from "node:https";
import { randomId } from "../evidence/random-id.ts";
import { guardRoutes } from "./access.ts";
import { accountRoutes } from "./accounts/routes.ts";
import { contentRoutes } from "./content/routes.ts";
import type { ServerDeps } from "./deps.ts";
import { exhibitRoutes } from "./exhibits/routes.ts";
import { healthRoutes } from "./health.ts";
import { answerWithProblems } from "./problems.ts";
import { logRequests, quietRequestLog } from "./request-log.ts";
import { sharing } from "./shares/sharing-room.ts";
import { statementRoutes } from "./statement.ts";
import { uploadRoutes } from "./uploads/routes.ts";

/** Largest body of a route that sets no `bodyLimit` of its own. */
const bodyLimitBytes = 1024 * 1024;

/** What a client may take: for its headers, between two bytes either way, and for a whole request (a part on a slow line). */
const headersTimeoutMs = 20_000;
const idleTimeoutMs = 120_000;
const requestTimeoutMs = 30 * 60_000;

/** TLS key and certificate in PEM. */
export type Tls = Pick<ServerOptions, "key" | "cert">;

type Routes = (app: FastifyInstance, deps: ServerDeps) => void | Promise<void>;

const roomsInOrder: readonly Routes[] = [
  statementRoutes,
  healthRoutes,
  accountRoutes,
  exhibitRoutes,
  uploadRoutes,
  contentRoutes,
  sharing,
];

/**
 * Builds the exhibit server over what it is given, all routes registered, not listening yet. `close()` waits for
 * requests that are running.
 *
 * @throws Error when a route does not declare who may call it
 */
export async function createServer(
  deps: ServerDeps,
  log: FastifyBaseLogger,
  tls?: Tls,
): Promise<FastifyInstance> {
  const { publicUrl, trustProxy } = deps.settings;
  const app = fastify({
    https: tls ?? null,
    loggerInstance: log,
    logController: quietRequestLog(),
    genReqId: () => randomId("r", 12),
    requestIdHeader: false,
    trustProxy: trustProxy.length === 0 ? false : [...trustProxy],
    bodyLimit: bodyLimitBytes,
    connectionTimeout: idleTimeoutMs,
    requestTimeout: requestTimeoutMs,
    forceCloseConnections: "idle",
    routerOptions: { maxParamLength: 256 },
  }) as unknown as FastifyInstance;
  app.server.headersTimeout = headersTimeoutMs;

  answerWithProblems(app);
  logRequests(app);
  app.addHook("onRequest", (request, reply, done) => {
    void reply.headers({
      "x-request-id": request.id,
      "cache-control": "no-store",
      "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
      "referrer-policy": "no-referrer",
      "x-content-type-options": "nosniff",
      ...(publicUrl.startsWith("https:")
        ? { "strict-transport-security": "max-age=31536000" }
        : {}),
    });
    done();
  });
  await guardRoutes(app, deps);
  for (const room of roomsInOrder) {
    await app.register(async (scope) => {
      await room(scope, deps);
    });
  }
  await app.ready();
  return app;
}
