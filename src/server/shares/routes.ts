import type { FastifyInstance } from "fastify";
import type { ServerDeps } from "../deps.ts";

export function shareRoutes(_app: FastifyInstance, _deps: ServerDeps): void {
  // Filled in by the room that owns these routes.
}
