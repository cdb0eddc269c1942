import { setMaxListeners } from "node:events";
import type { FastifyInstance, FastifyRequest } from "fastify";
import { z } from "zod";
import { ExhibitError, hasCode } from "../../evidence/errors.ts";
import {
  beginSchema,
  completeSchema,
  partAddressWantedSchema,
  uploadsPath,
} from "../../protocol/uploads.ts";
import type { Access } from "../access.ts";
import { BytesInFlight, memoryForBodies } from "../content/bytes-in-flight.ts";
import { declaredBody, takeBodiesAsStreams, withBody } from "../content/receive-body.ts";
import { storedOf } from "../content/stored-files.ts";
import type { UploadRow } from "../database/exhibit-tables.ts";
import type { ServerDeps } from "../deps.ts";
import { abortUpload } from "./abort-upload.ts";
import { addressPart } from "./address-part.ts";
import { beginUpload } from "./begin-upload.ts";
import { completeUpload } from "./complete-upload.ts";
import { keepExpiring } from "./expire-uploads.ts";
import { ProvingJobs } from "./proving-jobs.ts";
import { assertPartFits, storePart } from "./receive-part.ts";
import { inContent, ownUpload, stateOf, unknownUpload, visibleUpload } from "./upload-rows.ts";

const access: Access = ["admin", "officer", "partner"];

/** Seconds after which a client asks again how far the proof is. */
const askAgainSeconds = 1;

/**
 * Uploads (`protocol/uploads.ts`). When the server stops it takes no more parts, waits for those that have arrived, and
 * leaves every upload as it is: the same calls go on after a restart.
 */
export function uploadRoutes(app: FastifyInstance, deps: ServerDeps): void {
  const { database, content } = deps;
  const memory = new BytesInFlight(memoryForBodies, content.capabilities.parts.maxBytes);
  const jobs = new ProvingJobs(deps);
  const stop = new AbortController();
  // Every body on its way listens to it.
  setMaxListeners(0, stop.signal);
  let stopExpiring: () => Promise<void> = () => Promise.resolve();

  takeBodiesAsStreams(app, stop.signal);
  app.addHook("onReady", async () => {
    await jobs.resume();
    stopExpiring = keepExpiring(deps, (code) => {
      app.log.error({ code }, "expiring uploads failed");
    });
  });
  app.addHook("preClose", async () => {
    stop.abort(stopping());
    await jobs.park();
    await stopExpiring();
  });

  app.post(uploadsPath, { config: { access } }, async (request, reply) => {
    const wanted = beginSchema.parse(request.body);
    const { row, made } = await beginUpload(deps, request.caller, wanted, stop.signal);
    return reply.code(made ? 201 : 200).send(await described(row, false));
  });

  app.get(uploadsPath, { config: { access } }, async (request) => {
    const { id, role } = request.caller;
    const rows = await database
      .selectFrom("uploads")
      .selectAll()
      .where("state", "!=", "done")
      .$if(role !== "admin", (query) => query.where("owner", "=", id))
      .orderBy("started_at")
      .execute();
    const uploads = [];
    for (const row of rows) {
      // One that is finished or aborted at this moment is not unfinished any more.
      const state = await described(row, false).catch((error: unknown) => {
        if (hasCode(error, "not-found.upload")) return undefined;
        throw error;
      });
      if (state !== undefined) uploads.push(state);
    }
    return { uploads };
  });

  app.get(`${uploadsPath}/:id`, { config: { access } }, async (request) => {
    const row = await visibleUpload(database, request.caller, idOf(request));
    if (row.state === "done") throw unknownUpload();
    return described(row, true);
  });

  app.put(`${uploadsPath}/:id/parts/:offset`, { config: { access } }, async (request, reply) => {
    stop.signal.throwIfAborted();
    const row = await ownUpload(database, request.caller, idOf(request));
    const { offset } = offsetSchema.parse(request.params);
    const body = declaredBody(request, content.capabilities.parts.maxBytes);
    assertPartFits(row, offset, body);
    await withBody(request, body, memory, stop.signal, (bytes) =>
      storePart(deps, row, { offset, bytes, sha256: body.sha256 }),
    );
    jobs.forgetFailure(row.id);
    return reply.code(204).send();
  });

  app.post(`${uploadsPath}/:id/part-addresses`, { config: { access } }, async (request, reply) => {
    stop.signal.throwIfAborted();
    const row = await ownUpload(database, request.caller, idOf(request));
    const part = partAddressWantedSchema.parse(request.body);
    assertPartFits(row, part.offset, part);
    const address = await addressPart(deps, row, part, stop.signal);
    jobs.forgetFailure(row.id);
    return address ?? reply.code(204).send();
  });

  app.post(`${uploadsPath}/:id/complete`, { config: { access } }, async (request, reply) => {
    const { sha256 } = completeSchema.parse(request.body);
    const row = await ownUpload(database, request.caller, idOf(request));
    const outcome = await completeUpload(deps, jobs, row, sha256);
    if ("provedBytes" in outcome) {
      return reply.code(202).header("retry-after", askAgainSeconds).send({
        state: "proving",
        provedBytes: outcome.provedBytes,
        sizeBytes: row.size_bytes,
      });
    }
    return storedOf(outcome);
  });

  app.delete(`${uploadsPath}/:id`, { config: { access } }, async (request, reply) => {
    const row = await visibleUpload(database, request.caller, idOf(request));
    if (row.state === "done") throw finished();
    await abortUpload(deps, row, request.caller.id, stop.signal);
    jobs.forget(row.id);
    return reply.code(204).send();
  });

  async function described(row: UploadRow, withParts: boolean) {
    const parts = await content.listParts(inContent(row), stop.signal);
    return stateOf(row, parts, { withParts, directParts: deps.directParts !== undefined });
  }
}

const offsetSchema = z.object({
  offset: z
    .string()
    .regex(/^(?:0|[1-9][0-9]{0,15})$/, "must be a number of bytes")
    .transform(Number)
    .pipe(z.number().int().nonnegative()),
});

/** What is not an id is the id of nothing. */
function idOf(request: FastifyRequest): string {
  const parsed = z.object({ id: z.string().regex(/^u[0-9a-z]{26}$/) }).safeParse(request.params);
  if (!parsed.success) throw unknownUpload();
  return parsed.data.id;
}

function finished(): ExhibitError {
  return new ExhibitError("conflict.upload-closed", "This upload is finished.", {
    hint: "What is stored is evidence and stays.",
  });
}

function stopping(): ExhibitError {
  return new ExhibitError("unavailable.busy", "The server is stopping.", {
    hint: "Try again in a moment; what has arrived is kept.",
  });
}
