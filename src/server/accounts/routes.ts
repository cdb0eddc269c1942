import type { FastifyInstance } from "fastify";
import type { ServerDeps } from "../deps.ts";

export function accountRoutes(_app: FastifyInstance, _deps: ServerDeps): void {
  // The accounts room fills this in next.
}
