import { setMaxListeners } from "node:events";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { sql } from "kysely";
import { z } from "zod";
import { digestField } from "../../evidence/digest.ts";
import { ExhibitError } from "../../evidence/errors.ts";
import { keySchema } from "../../evidence/key.ts";
import { contentPath } from "../../protocol/content.ts";
import type { Access } from "../access.ts";
import { appendCustody } from "../custody/custody.ts";
import type { StoredFileRow } from "../database/exhibit-tables.ts";
import type { ServerDeps } from "../deps.ts";
import { exhibitOfKey, unknownContent, visibleExhibits } from "../exhibits/visible-exhibits.ts";
import { rangeOf } from "../pages/byte-range.ts";
import { SlidingLimit } from "../shares/sliding-limit.ts";
import { BytesInFlight, memoryForBodies } from "./bytes-in-flight.ts";
import { putContent } from "./put-content.ts";
import { declaredBody, takeBodiesAsStreams, withBody } from "./receive-body.ts";
import { findStored, storedOf } from "./stored-files.ts";

const access: Access = ["admin", "officer", "partner"];

const consultationMs = 60 * 60 * 1000;

const listSchema = z.strictObject({
  prefix: z.string().max(200).default(""),
  after: z.string().max(200).default(""),
  limit: z.coerce.number().int().min(1).max(1000).default(1000),
});

/** Content (`protocol/content.ts`): only keys of exhibits that the caller may see. */
export function contentRoutes(app: FastifyInstance, deps: ServerDeps): void {
  const { database, content, clock } = deps;
  const memory = new BytesInFlight(memoryForBodies, content.capabilities.maxPutBytes);
  const consultations = new SlidingLimit(clock, 1, consultationMs);
  const stop = new AbortController();
  // Every body on its way listens to it.
  setMaxListeners(0, stop.signal);
  app.addHook("preClose", (done) => {
    stop.abort(closing());
    done();
  });
  takeBodiesAsStreams(app, stop.signal);

  app.get(contentPath, { config: { access } }, async (request) => {
    const { prefix, after, limit } = listSchema.parse(request.query);
    const rows = await database
      .selectFrom("stored_files")
      .select(["key", "size_bytes"])
      .where(
        "exhibit_id",
        "in",
        visibleExhibits(database, request.caller).clearSelect().select("id"),
      )
      .where(sql<boolean>`substr(key, 1, ${prefix.length}) = ${prefix}`)
      .where("key", ">", after)
      .orderBy("key")
      .limit(limit + 1)
      .execute();
    const page = rows.slice(0, limit);
    return {
      keys: page.map((row) => ({ key: row.key, sizeBytes: row.size_bytes })),
      ...(rows.length > page.length ? { next: page.at(-1)?.key } : {}),
    };
  });

  app.head(`${contentPath}/*`, { config: { access } }, async (request, reply) => {
    const row = await visibleFile(request);
    return describe(reply, row).header("content-length", row.size_bytes).send();
  });

  app.get(
    `${contentPath}/*`,
    { config: { access }, exposeHeadRoute: false },
    async (request, reply) => {
      const row = await visibleFile(request);
      describe(reply, row);
      const wanted = rangeOf(request.headers.range, row.size_bytes);
      if (wanted === "unsatisfiable") {
        return reply.code(416).header("content-range", `bytes */${row.size_bytes}`).send();
      }
      const range = wanted === "whole" ? { start: 0, end: row.size_bytes } : wanted;
      const bytes = await content.open(row.key, range, stop.signal);
      await consulted(row, request.caller.id);
      if (wanted !== "whole") {
        const { start, end } = range;
        void reply.code(206).header("content-range", `bytes ${start}-${end - 1}/${row.size_bytes}`);
      }
      return reply.header("content-length", range.end - range.start).send(bytes);
    },
  );

  app.put(`${contentPath}/*`, { config: { access } }, async (request, reply) => {
    const key = keyOf(request);
    const body = declaredBody(request, content.capabilities.maxPutBytes);
    const { row, made } = await putContent(deps, request.caller, key, body, (put) =>
      withBody(request, body, memory, stop.signal, put),
    );
    return reply.code(made ? 201 : 200).send(storedOf(row));
  });

  async function visibleFile(request: FastifyRequest): Promise<StoredFileRow> {
    const key = keyOf(request);
    await exhibitOfKey(database, request.caller, key);
    const row = await findStored(database, key);
    if (row === undefined) throw unknownContent();
    return row;
  }

  /** The ranges that one person reads of one file within an hour, wherever they start, are one consultation. */
  async function consulted(row: StoredFileRow, caller: string): Promise<void> {
    const reading = `${caller} ${row.key}`;
    if (consultations.waitMs(reading) > 0) return;
    consultations.add(reading);
    try {
      await database
        .transaction()
        .execute((trx) =>
          appendCustody(trx, clock, row.exhibit_id, "consulted", caller, { key: row.key }),
        );
    } catch (error) {
      consultations.undo(reading);
      throw error;
    }
  }
}

function describe(reply: FastifyReply, row: StoredFileRow): FastifyReply {
  return reply.headers({
    "accept-ranges": "bytes",
    "content-disposition": "attachment",
    "content-type": "application/octet-stream",
    etag: `"${row.sha256}"`,
    "repr-digest": digestField(row.sha256),
  });
}

function keyOf(request: FastifyRequest): string {
  return z.object({ "*": keySchema }).parse(request.params)["*"];
}

function closing(): ExhibitError {
  return new ExhibitError("unavailable.busy", "The server is stopping.", {
    hint: "Try again in a moment; what has arrived is kept.",
  });
}
