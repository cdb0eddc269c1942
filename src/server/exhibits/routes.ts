import type { FastifyInstance } from "fastify";
import { z } from "zod";
import { exhibitIdSchema } from "../../evidence/address.ts";
import { caseSchema } from "../../evidence/case.ts";
import { referenceSchema } from "../../evidence/reference.ts";
import {
  exhibitsPath,
  lookupSchema,
  recordBodySchema,
  reservationSchema,
} from "../../protocol/exhibits.ts";
import type { Access } from "../access.ts";
import { custodyLines } from "../custody/custody.ts";
import type { ServerDeps } from "../deps.ts";
import { documentsOf, entryOf, ownBySource, pageOfEntries } from "./entries.ts";
import { reserve } from "./reserve.ts";
import { finishSealing, sealExhibit } from "./seal-exhibit.ts";
import { unknownExhibit, visibleExhibit } from "./visible-exhibits.ts";

const access: Access = ["admin", "officer", "partner"];

/** A record of 10,000 files with long names, in base64url. */
export const recordLimitBytes = 32 * 1024 * 1024;

const querySchema = z.strictObject({
  case: caseSchema.optional(),
  reference: referenceSchema.optional(),
  after: z.string().max(512).optional(),
  limit: z.coerce.number().int().min(1).max(500).default(200),
});

/** Exhibits (`protocol/exhibits.ts`). */
export function exhibitRoutes(app: FastifyInstance, deps: ServerDeps): void {
  const stop = new AbortController();
  app.addHook("onClose", () => {
    stop.abort();
  });

  app.post(exhibitsPath, { config: { access } }, async (request, reply) => {
    const wanted = reservationSchema.parse(request.body);
    const { row, made } = await reserve(deps, request.caller, wanted, stop.signal);
    const exhibit = await finishSealing(deps, row, stop.signal);
    return reply.code(made ? 201 : 200).send(entryOf(exhibit));
  });

  app.post(`${exhibitsPath}/lookup`, { config: { access } }, async (request) => {
    const wanted = lookupSchema.parse(request.body);
    return { found: await ownBySource(deps.database, request.caller, wanted) };
  });

  app.get(exhibitsPath, { config: { access } }, (request) => {
    const { limit, ...query } = querySchema.parse(request.query);
    return pageOfEntries(deps.database, request.caller, {
      case: query.case,
      reference: query.reference,
      after: query.after,
      limit,
    });
  });

  app.get(`${exhibitsPath}/:id`, { config: { access } }, async (request) =>
    documentsOf(await visibleExhibit(deps.database, request.caller, idOf(request.params))),
  );

  app.put(
    `${exhibitsPath}/:id/record`,
    { config: { access }, bodyLimit: recordLimitBytes },
    async (request, reply) => {
      const { record } = recordBodySchema.parse(request.body);
      const id = idOf(request.params);
      const sealed = await sealExhibit(deps, request.caller, id, record, stop.signal);
      if (sealed !== undefined) return documentsOf(sealed);
      return reply.code(202).header("retry-after", 1).send();
    },
  );

  app.get(`${exhibitsPath}/:id/custody`, { config: { access } }, async (request, reply) => {
    const { id } = await visibleExhibit(deps.database, request.caller, idOf(request.params));
    const lines = await custodyLines(deps.database, id);
    return reply.type("application/x-ndjson").send(lines.map((line) => `${line}\n`).join(""));
  });
}

/** What is not an id is the id of nothing. */
function idOf(params: unknown): string {
  const parsed = z.object({ id: exhibitIdSchema }).safeParse(params);
  if (!parsed.success) throw unknownExhibit();
  return parsed.data.id;
}
