import type { Server } from "node:http";
import type { Socket } from "node:net";
import type { FastifyInstance, FastifyRequest } from "fastify";
import { collectDefaultMetrics, Counter, Histogram, Registry } from "prom-client";
import { sharePagePath } from "../../protocol/shares.ts";
import { uploadsPath } from "../../protocol/uploads.ts";

/**
 * What a server tells of itself in numbers. Labels are routes by their pattern, methods, classes of status and kinds: never a
 * name, a case, a reference, a token or an address.
 */
export interface Metrics {
  readonly registry: Registry;
  /** Counts the requests of a server, and the bytes of its connections. Before its routes are registered. */
  watch(app: FastifyInstance): void;
}

const known = new Set(["GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"]);
const partsRoute = `${uploadsPath}/:id/parts/:offset`;
const linkRoute = `${sharePagePath}/:token`;

/** Counters that stand at zero, and what Node tells of the process: `process_*`, `nodejs_*`. */
export function openMetrics(): Metrics {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry });
  const requests = new Counter({
    name: "exhibit_requests_total",
    help: "Requests that were answered, by route, method and class of status.",
    labelNames: ["route", "method", "status"],
    registers,
  });
  const seconds = new Histogram({
    name: "exhibit_request_seconds",
    help: "Time until a request was answered, by route.",
    labelNames: ["route"],
    buckets: [0.01, 0.05, 0.25, 1, 5, 30, 120],
    registers,
  });
  const parts = new Counter({
    name: "exhibit_parts_received_total",
    help: "Parts of files that arrived through this server and are durable.",
    registers,
  });
  const codes = new Counter({
    name: "exhibit_codes_refused_total",
    help: "Access codes of share links that were refused: wrong ones, and those that came too often.",
    labelNames: ["reason"],
    registers,
  });
  for (const reason of ["wrong", "too-often"]) codes.inc({ reason }, 0);

  return {
    registry,
    watch(app) {
      countBytes(app.server, registry);
      app.addHook("onResponse", (request, reply, done) => {
        const route = routeOf(request);
        const { statusCode } = reply;
        const method = known.has(request.method) ? request.method : "other";
        requests.inc({ route, method, status: `${Math.floor(statusCode / 100)}xx` });
        seconds.observe({ route }, reply.elapsedTime / 1000);
        if (route === partsRoute && statusCode === 204) parts.inc();
        if (route === linkRoute && request.method === "POST") {
          if (statusCode === 403) codes.inc({ reason: "wrong" });
          if (statusCode === 429) codes.inc({ reason: "too-often" });
        }
        done();
      });
    },
  };
}

/** The route's pattern, never the address itself. */
function routeOf(request: FastifyRequest): string {
  return request.is404 ? "unknown" : (request.routeOptions.url ?? "unknown");
}

/** Bytes as they went over the wire: of the connections that have ended, and of those that are open. */
function countBytes(server: Server, registry: Registry): void {
  const open = new Set<Socket>();
  const ended = { in: 0, out: 0 };
  server.on("connection", (socket: Socket) => {
    open.add(socket);
    socket.once("close", () => {
      open.delete(socket);
      ended.in += socket.bytesRead;
      ended.out += socket.bytesWritten;
    });
  });
  new Counter({
    name: "exhibit_network_bytes_total",
    help: "Bytes that came in and went out, with headers and encryption.",
    labelNames: ["direction"],
    registers: [registry],
    collect() {
      this.reset();
      const now = { ...ended };
      for (const { bytesRead, bytesWritten } of open) {
        now.in += bytesRead;
        now.out += bytesWritten;
      }
      this.inc({ direction: "in" }, now.in);
      this.inc({ direction: "out" }, now.out);
    },
  });
}
