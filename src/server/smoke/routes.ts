import type { FastifyInstance } from "fastify";
import { z } from "zod";
import { exhibitIdSchema } from "../../evidence/address.ts";
import { notSmoke } from "../../evidence/smoke.ts";
import { beginSmokeSchema, smokePath } from "../../protocol/smoke.ts";
import type { Access } from "../access.ts";
import { entryOf } from "../exhibits/entries.ts";
import { unknownExhibit, visibleExhibit } from "../exhibits/visible-exhibits.ts";
import type { ShareDesk } from "../shares/share-desk.ts";
import { beginSmoke } from "./begin-smoke.ts";
import { eraseSmoke, findSmoke } from "./erase-smoke.ts";
import { keepSweeping } from "./sweep-smokes.ts";

const access: Access = ["admin", "officer", "partner"];

/** Synthetic material (`protocol/smoke.ts`). This room alone erases, and only what it began. */
export function smokeRoutes(app: FastifyInstance, desk: ShareDesk): void {
  const { database, smokeEraser } = desk.deps;
  const stop = new AbortController();
  let stopSweeping: () => Promise<void> = () => Promise.resolve();
  app.addHook("onReady", (done) => {
    stopSweeping = keepSweeping(
      desk,
      (exhibit) => {
        app.log.info({ exhibit }, "smoke that was left was erased");
      },
      (code) => {
        app.log.error({ code }, "sweeping smokes failed");
      },
    );
    done();
  });
  app.addHook("preClose", async () => {
    stop.abort();
    await stopSweeping();
  });

  app.post(smokePath, { config: { access } }, async (request, reply) => {
    const { totalBytes } = beginSmokeSchema.parse(request.body);
    await smokeEraser.requireErasable(stop.signal);
    return reply.code(201).send(entryOf(await beginSmoke(desk.deps, request.caller, totalBytes)));
  });

  app.delete(`${smokePath}/:id`, { config: { access } }, async (request, reply) => {
    const id = idOf(request.params);
    const { caller } = request;
    const smoke = await findSmoke(database, id);
    if (smoke !== undefined && (smoke.submitter === caller.id || caller.role === "admin")) {
      await eraseSmoke(desk, smoke, caller.id, stop.signal);
      request.log.info({ exhibit: id, by: caller.id }, "smoke was erased");
      return reply.code(204).send();
    }
    if (await wasErased(id, caller.id)) return reply.code(204).send();
    // Only to say why to whoever may know that it is there.
    await visibleExhibit(database, caller, id);
    throw notSmoke();
  });

  async function wasErased(id: string, by: string): Promise<boolean> {
    const row = await database
      .selectFrom("smokes")
      .select("serial")
      .where("exhibit_id", "=", id)
      .where("erased_at", "is not", null)
      .where((is) => is.or([is("started_by", "=", by), is("erased_by", "=", by)]))
      .executeTakeFirst();
    return row !== undefined;
  }
}

/** What is not an id is the id of nothing. */
function idOf(params: unknown): string {
  const parsed = z.object({ id: exhibitIdSchema }).safeParse(params);
  if (!parsed.success) throw unknownExhibit();
  return parsed.data.id;
}
