import type { FastifyInstance } from "fastify";
import { z } from "zod";
import { caseSchema } from "../../evidence/case.ts";
import { caseExhibitsPath, caseSharesPath } from "../../protocol/cases.ts";
import type { ServerDeps } from "../deps.ts";
import { pageOfCase, type CaseQuery } from "./case-exhibits.ts";
import { sharesOfCase } from "./case-shares.ts";

const config = { access: ["admin", "officer"] } as const;

const querySchema = z.strictObject({
  case: caseSchema,
  after: z.string().max(512).optional(),
  limit: z.coerce.number().int().min(1).max(500).default(200),
});

/** Cases (`protocol/cases.ts`): what officers look at before a hearing. */
export function caseRoutes(app: FastifyInstance, { database, clock }: ServerDeps): void {
  app.get(caseExhibitsPath, { config }, (request) =>
    pageOfCase(database, request.caller, queryOf(request.query)),
  );

  app.get(caseSharesPath, { config }, (request) =>
    sharesOfCase(database, request.caller, queryOf(request.query), clock.now()),
  );
}

function queryOf(query: unknown): CaseQuery {
  const { after, ...rest } = querySchema.parse(query);
  return { ...rest, after };
}
