import type { FastifyInstance, FastifyRequest } from "fastify";
import { z } from "zod";
import { exhibitIdSchema } from "../../evidence/address.ts";
import { digestField } from "../../evidence/digest.ts";
import { ExhibitError } from "../../evidence/errors.ts";
import { referenceSegment } from "../../evidence/reference.ts";
import { sharePagePath } from "../../protocol/shares.ts";
import { logAccess, type Access } from "../shares/access-log.ts";
import { noteDisclosure } from "../shares/disclosure.ts";
import type { ShareDesk } from "../shares/share-desk.ts";
import { attachment } from "./attachment.ts";
import { rangeOf } from "./byte-range.ts";
import { fileOf } from "./content-routes.ts";
import type { GuardedViewing } from "./guarded-viewing.ts";
import { sendCuttable } from "./sending.ts";
import { shownExhibits } from "./shown-exhibits.ts";
import { visitorOf, type Viewing } from "./visit.ts";

const config = { access: "public" } as const;
const exhibitParams = z.object({ exhibit: exhibitIdSchema });

/**
 * What only an `original` share has, below `/s/TOKEN/x/EXHIBIT/`: the unaltered masters under their original names
 * (`ORDINAL/original`, ranges allowed, so that a download can go on), and the exhibit's signed `record.json` and
 * `receipt.json`. A `view` share gets the 404 of what is not there.
 */
export function originalRoutes(
  app: FastifyInstance,
  desk: ShareDesk,
  guarded: GuardedViewing,
): void {
  const { database, clock, content } = desk.deps;
  const path = `${sharePagePath}/:token/x/:exhibit`;

  app.get(
    `${path}/:ordinal/original`,
    { config, exposeHeadRoute: false },
    async (request, reply) => {
      const viewing = originalsOf(guarded.of(request));
      const file = await fileOf(desk, viewing, request);
      const { exhibit, ordinal, master, sha256 } = file;
      const etag = `"${sha256}"`;
      const onlyIf = request.headers["if-range"];
      const stale = onlyIf !== undefined && onlyIf !== etag;
      const range = rangeOf(stale ? undefined : request.headers.range, master.sizeBytes);
      if (range === "unsatisfiable") {
        return reply.code(416).header("content-range", `bytes */${master.sizeBytes}`).send();
      }
      return sendCuttable(desk, viewing, { exhibit, ordinal }, reply, async (signal) => {
        const part = range === "whole" ? undefined : range;
        const { start, end } = part ?? { start: 0, end: master.sizeBytes };
        const body = await content.open(master.key, part, signal);
        await noteTaken(viewing, request, {
          kind: "original-downloaded",
          exhibit,
          ordinal,
          detail: part === undefined ? `all ${end} bytes` : `bytes ${start} to ${end - 1}`,
        });
        const fallback = `${referenceSegment(file.reference)}-${ordinal}`;
        return {
          status: part === undefined ? 200 : 206,
          headers: {
            // Never what the record says it is: a browser must not run anything of it in our name.
            "content-type": "application/octet-stream",
            "content-disposition": attachment(file.path, fallback),
            "content-length": end - start,
            "accept-ranges": "bytes",
            etag,
            "repr-digest": digestField(sha256),
            ...(part === undefined
              ? {}
              : { "content-range": `bytes ${start}-${end - 1}/${master.sizeBytes}` }),
          },
          body,
        };
      });
    },
  );

  /** Custody and the access log have it before anything of it goes out. */
  async function noteTaken(
    { share, session }: Viewing,
    request: FastifyRequest,
    what: Pick<Access, "kind" | "ordinal" | "detail"> & { readonly exhibit: string },
  ): Promise<void> {
    const from = visitorOf(request);
    await noteDisclosure(desk, share, session.id, what.exhibit, from);
    await logAccess(database, clock, { share: share.id, session: session.id, from, ...what });
  }

  for (const document of ["record", "receipt"] as const) {
    app.get(
      `${path}/${document}.json`,
      { config, exposeHeadRoute: false },
      async (request, reply) => {
        const viewing = originalsOf(guarded.of(request));
        const params = exhibitParams.safeParse(request.params);
        const exhibits = await shownExhibits(database, viewing.share.id);
        const shown = exhibits.find((one) => one.id === params.data?.exhibit);
        if (shown === undefined) throw nothingHere();
        const { id: exhibit, reference, sealedRecord, sealedReceipt } = shown;
        return sendCuttable(desk, viewing, { exhibit, ordinal: undefined }, reply, async () => {
          await noteTaken(viewing, request, {
            kind: "file-viewed",
            exhibit,
            detail: `signed ${document}`,
          });
          const name = `${referenceSegment(reference)}.${document}.json`;
          return {
            status: 200,
            headers: {
              "content-type": "application/json",
              "content-disposition": attachment(name, name),
            },
            body: document === "record" ? sealedRecord : sealedReceipt,
          };
        });
      },
    );
  }
}

function originalsOf(viewing: Viewing): Viewing {
  if (viewing.share.access !== "original") throw nothingHere();
  return viewing;
}

function nothingHere(): ExhibitError {
  return new ExhibitError("not-found.content", "There is nothing here.");
}
