import type { FastifyInstance, FastifyRequest } from "fastify";
import { z } from "zod";
import { exhibitIdSchema } from "../../evidence/address.ts";
import { ExhibitError } from "../../evidence/errors.ts";
import { sharePagePath } from "../../protocol/shares.ts";
import { logAccess } from "../shares/access-log.ts";
import { noteDisclosure } from "../shares/disclosure.ts";
import type { ShareDesk } from "../shares/share-desk.ts";
import type { Mark } from "../watermark/mark.ts";
import type { Copy, MarkableKind } from "../watermark/renditions.ts";
import { rangeOf } from "./byte-range.ts";
import type { GuardedViewing } from "./guarded-viewing.ts";
import { sendCuttable, type Answer } from "./sending.ts";
import { shownFile, type ShownFile } from "./shown-exhibits.ts";
import { visitorOf, type Viewing } from "./visit.ts";

const wholeNumber = z
  .string()
  .regex(/^\d{1,7}$/)
  .transform(Number);
const paramsSchema = z.object({
  exhibit: exhibitIdSchema,
  ordinal: wholeNumber,
});
const segmentSchema = z.object({ index: wholeNumber });

const config = { access: "public" } as const;

/** Below `/s/TOKEN/x/EXHIBIT/ORDINAL/`: the marked copies that the page shows, made for this share and this moment. */
export function contentRoutes(
  app: FastifyInstance,
  desk: ShareDesk,
  guarded: GuardedViewing,
): void {
  const { deps, renditions } = desk;
  const path = `${sharePagePath}/:token/x/:exhibit/:ordinal`;

  /** A route for one kind of copy. Only a file that was found to be of that kind has it. */
  function copyRoute(
    name: string,
    kind: MarkableKind,
    make: (
      request: FastifyRequest,
      file: ShownFile,
      mark: Mark,
      signal: AbortSignal,
    ) => Promise<Answer>,
  ): void {
    app.get(`${path}/${name}`, { config, exposeHeadRoute: false }, async (request, reply) => {
      const viewing = guarded.of(request);
      const file = await fileOf(desk, viewing, request);
      if (file.kind !== kind) throw nothingHere();
      const { exhibit, ordinal } = file;
      return sendCuttable(desk, viewing, { exhibit, ordinal }, reply, async (signal) => {
        const answer = await make(request, file, markOf(viewing, file, deps.clock.now()), signal);
        await noteDisclosure(desk, viewing.share, viewing.session.id, exhibit, visitorOf(request));
        return answer;
      });
    });
  }

  /** As {@link copyRoute}, for copies that come whole: they are logged as seen. */
  function wholeRoute(
    name: string,
    kind: MarkableKind,
    make: (file: ShownFile, mark: Mark, signal: AbortSignal) => Promise<Copy>,
  ): void {
    copyRoute(name, kind, async (request, file, mark, signal) => {
      const copy = await make(file, mark, signal);
      await logFile(request, file, "file-viewed");
      return answerRange(copy, request.headers.range);
    });
  }

  async function logFile(
    request: FastifyRequest,
    { exhibit, ordinal }: ShownFile,
    kind: "file-viewed" | "segment",
    segment?: number,
  ): Promise<void> {
    const { share, session } = guarded.of(request);
    await logAccess(deps.database, deps.clock, {
      share: share.id,
      session: session.id,
      kind,
      from: visitorOf(request),
      exhibit,
      ordinal,
      ...(segment === undefined ? {} : { segment }),
    });
  }

  copyRoute("video.m3u8", "video", async (_request, file, _mark, signal) => ({
    status: 200,
    headers: { "content-type": "application/vnd.apple.mpegurl" },
    body: await renditions.playlist(file.master, (index) => `segment/${index}`, signal),
  }));

  copyRoute("segment/:index", "video", async (request, file, mark, signal) => {
    const params = segmentSchema.safeParse(request.params);
    if (!params.success) throw nothingHere();
    const { index } = params.data;
    const copy = await renditions.segment(file.master, index, mark, signal);
    await logFile(request, file, "segment", index);
    const { share, session } = guarded.of(request);
    desk.live.watching(share.id, { ...file, session: session.id });
    return { status: 200, headers: { "content-type": copy.mediaType }, body: copy.bytes };
  });

  wholeRoute("picture.jpg", "image", (file, mark, signal) =>
    renditions.image(file.master, mark, signal),
  );
  wholeRoute("recording.mp3", "audio", (file, mark, signal) =>
    renditions.audio(file.master, mark, signal),
  );
  wholeRoute("document.pdf", "pdf", (file, mark, signal) =>
    renditions.pdf(file.master, mark, signal),
  );
}

/**
 * The file that a request below a link is about.
 *
 * @throws ExhibitError `not-found.content` when this share does not hold it, or no longer
 */
export async function fileOf(
  { deps: { database } }: ShareDesk,
  { share }: Viewing,
  request: FastifyRequest,
): Promise<ShownFile> {
  const params = paramsSchema.safeParse(request.params);
  const file = params.success
    ? await shownFile(database, share.id, params.data.exhibit, params.data.ordinal)
    : undefined;
  if (file === undefined) throw nothingHere();
  return file;
}

function nothingHere(): ExhibitError {
  return new ExhibitError("not-found.content", "There is nothing here.");
}

function markOf({ share }: Viewing, { reference }: ShownFile, at: Date): Mark {
  return {
    shareId: share.id,
    recipient: share.recipient_name,
    organisation: share.organisation,
    reference,
    at,
  };
}

/** A copy or the range of it that is asked for: players of sound ask for ranges, some play nothing without. */
function answerRange({ mediaType, bytes }: Copy, field: string | undefined): Answer {
  const headers = { "content-type": mediaType, "accept-ranges": "bytes" };
  const range = rangeOf(field, bytes.length);
  if (range === "whole") return { status: 200, headers, body: bytes };
  if (range === "unsatisfiable") {
    return { status: 416, headers: { "content-range": `bytes */${bytes.length}` }, body: "" };
  }
  const contentRange = `bytes ${range.start}-${range.end - 1}/${bytes.length}`;
  return {
    status: 206,
    headers: { ...headers, "content-range": contentRange },
    body: bytes.subarray(range.start, range.end),
  };
}
