import type { ServerOptions } from "node:https";
import type { Socket } from "node:net";
import rateLimit from "@fastify/rate-limit";
import { fastify, type FastifyBaseLogger, type FastifyInstance, type FastifyReply } from "fastify";
import { randomId } from "../evidence/random-id.ts";
import { guardRoutes } from "./access.ts";
import { accountRoutes } from "./accounts/routes.ts";
import { bundleRoutes } from "./bundles/routes.ts";
import { caseRoutes } from "./cases/routes.ts";
import {
  contentInWords,
  directInWords,
  eraserInWords,
  groupedInWords,
} from "./content/content-in-words.ts";
import { contentRoutes } from "./content/routes.ts";
import type { ServerDeps } from "./deps.ts";
import { exhibitRoutes } from "./exhibits/routes.ts";
import { healthRoutes } from "./health.ts";
import { inboxRoutes } from "./inbox/routes.ts";
import type { Metrics } from "./metrics/metrics.ts";
import { answerProblem, answerWithProblems } from "./problems.ts";
import { logRequests, quietRequestLog } from "./request-log.ts";
import { RunningHandlers } from "./running-handlers.ts";
import { limitGroup } from "./shares/client-address.ts";
import { showRefusalsAsPages } from "./pages/refusals-as-pages.ts";
import { sharing } from "./shares/sharing-room.ts";
import { endSilentConnections } from "./silent-connections.ts";
import { statementRoutes } from "./statement.ts";
import { uploadRoutes } from "./uploads/routes.ts";

/** Largest body of a route that sets no `bodyLimit` of its own. */
const bodyLimitBytes = 1024 * 1024;

/** What a client may take: for its headers, between two bytes either way, and for a whole request (a part on a slow line). */
const headersTimeoutMs = 20_000;
const idleTimeoutMs = 120_000;
const requestTimeoutMs = 30 * 60_000;

/** What requests that are running may still take once the server stops. */
const closeLimitMs = 15_000;

/** TLS key and certificate in PEM. */
export type Tls = Pick<ServerOptions, "key" | "cert">;

type Routes = (app: FastifyInstance, deps: ServerDeps) => void | Promise<void>;

const roomsInOrder: readonly Routes[] = [
  statementRoutes,
  healthRoutes,
  accountRoutes,
  exhibitRoutes,
  bundleRoutes,
  caseRoutes,
  inboxRoutes,
  uploadRoutes,
  contentRoutes,
  sharing,
];

/**
 * Builds the exhibit server over what it is given, all routes registered, not listening yet. `close()` waits up to
 * 15 s for requests that are running, then cuts them off, and as long again for those whose caller has gone.
 *
 * @throws Error when a route does not declare who may call it
 */
export async function createServer(
  deps: ServerDeps,
  log: FastifyBaseLogger,
  tls?: Tls,
  metrics?: Metrics,
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
    frameworkErrors: (error, request, reply) => {
      setSafeHeaders(reply, publicUrl);
      answerProblem(error, request, reply);
    },
    clientErrorHandler: refuseConnection,
  }) as unknown as FastifyInstance;
  app.server.headersTimeout = headersTimeoutMs;
  endSilentConnections(app);
  app.addHook("preClose", (done) => {
    setTimeout(() => {
      app.server.closeAllConnections();
    }, closeLimitMs).unref();
    done();
  });

  answerWithProblems(app);
  logRequests(app);
  metrics?.watch(app);
  app.addHook("onRequest", (_request, reply, done) => {
    setSafeHeaders(reply, publicUrl);
    done();
  });
  await showRefusalsAsPages(app, deps.settings.organisation);
  await guardRoutes(app, deps);
  const handlers = new RunningHandlers();
  handlers.watch(app);
  await app.register(rateLimit, {
    global: false,
    keyGenerator: (request) => limitGroup(request.ip),
  });
  const inWords = {
    ...deps,
    content: contentInWords(deps.content),
    grouped: deps.grouped && groupedInWords(deps.grouped),
    directParts: deps.directParts && directInWords(deps.directParts),
    smokeEraser: eraserInWords(deps.smokeEraser),
  };
  for (const room of roomsInOrder) {
    await app.register(async (scope) => {
      await room(scope, inWords);
    });
  }
  // Added last and so run first: what the rooms close is still in a running handler's hands.
  app.addHook("onClose", () => handlers.ended(closeLimitMs));
  await app.ready();
  return app;
}

/** Nothing is stored, framed, sniffed or told to other sites, unless a room says otherwise for its own pages. */
function setSafeHeaders(reply: FastifyReply, publicUrl: string): void {
  void reply.headers({
    "x-request-id": reply.request.id,
    "cache-control": "no-store",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    ...(publicUrl.startsWith("https:") ? { "strict-transport-security": "max-age=31536000" } : {}),
  });
}

/** Ends a connection that does not speak HTTP or is too slow. Logs nothing: the error holds the bytes that came. */
function refuseConnection(error: NodeJS.ErrnoException, socket: Socket): void {
  const slow = error.code === "ERR_HTTP_REQUEST_TIMEOUT";
  if (!socket.writable || error.code === "ECONNRESET") socket.destroy();
  else {
    const status = slow ? "408 Request Timeout" : "400 Bad Request";
    socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
  }
}
