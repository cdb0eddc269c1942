import type { FastifyInstance } from "fastify";
import { sql } from "kysely";
import { ExhibitError } from "../evidence/errors.ts";
import type { ServerDeps } from "./deps.ts";

/** Any well-formed key does: the content store must answer, not have it. */
const probeKey = "HEALTH/AAA_1/record.json";
const limitMs = 5_000;

/** `GET /healthz`: 200 when the database and the content store answer within 5 s, else 503. No sign-in needed. */
export function healthRoutes(app: FastifyInstance, deps: ServerDeps): void {
  app.get("/healthz", { config: { access: "public" } }, async () => {
    const limit = AbortSignal.timeout(limitMs);
    try {
      await Promise.race([bothAnswer(deps, limit), failWith(limit)]);
    } catch (cause) {
      throw new ExhibitError("unavailable.store", "The server's database or content store fails.", {
        cause,
      });
    }
    return { status: "ok" };
  });
}

async function bothAnswer(deps: ServerDeps, limit: AbortSignal): Promise<void> {
  await sql`select 1`.execute(deps.database);
  await deps.content.stat(probeKey, limit);
}

/** A disk that hangs hears no signal. */
function failWith(limit: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    limit.addEventListener("abort", () => {
      reject(limit.reason as Error);
    });
  });
}
