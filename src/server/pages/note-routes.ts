import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { z } from "zod";
import { ExhibitError } from "../../evidence/errors.ts";
import { noteTextSchema, placeInWords, type NotePlace } from "../../evidence/note.ts";
import { sharePagePath } from "../../protocol/shares.ts";
import { leaveNote, type LeftNote } from "../shares/leave-note.ts";
import type { ShareDesk } from "../shares/share-desk.ts";
import { fileOf } from "./content-routes.ts";
import { sendEnded, type GuardedViewing } from "./guarded-viewing.ts";
import type { ShownFile } from "./shown-exhibits.ts";
import type { LinkRoute } from "./visit.ts";

const config = { access: "public" } as const;

/** A time as it is typed or filled in: `1:02:03`, `2:03`, `83.4`. */
const time = /^(?:(?:(\d{1,3}):)?([0-5]?\d):)?(\d{1,6}(?:\.\d{1,3})?)$/;

const bodySchema = z.object({
  text: noteTextSchema,
  at: z.string().trim().max(20).default(""),
  page: z
    .string()
    .trim()
    .regex(/^\d{0,5}$/, "is a number")
    .default(""),
});

/**
 * `POST /s/TOKEN/x/EXHIBIT/ORDINAL/notes`: `text`, and `at` (a recording's time) or `page`. Answers the page's script with
 * what was kept, as JSON, and a browser without script with the page.
 */
export function noteRoutes(app: FastifyInstance, desk: ShareDesk, guarded: GuardedViewing): void {
  app.post<LinkRoute>(
    `${sharePagePath}/:token/x/:exhibit/:ordinal/notes`,
    { config },
    async (request, reply) => {
      const viewing = guarded.of(request);
      const file = await fileOf(desk, viewing, request);
      const body = bodySchema.safeParse(request.body);
      if (!body.success) throw badNote(body.error.issues[0]);
      const place = placeOf(file, body.data);
      let left: LeftNote;
      try {
        left = await leaveNote(desk, viewing, file, place, body.data.text);
      } catch (error) {
        if (error instanceof ExhibitError && error.code === "not-found.share") {
          return sendEnded(reply);
        }
        throw error;
      }
      return answer(request, reply, left);
    },
  );
}

function answer(
  request: FastifyRequest<LinkRoute>,
  reply: FastifyReply,
  left: LeftNote,
): FastifyReply {
  if (request.headers.accept?.includes("application/json") !== true) {
    // Four steps below the page.
    const back = `../../../../${encodeURIComponent(request.params.token)}`;
    return reply.code(303).header("location", back).send();
  }
  const { text, at } = left;
  const place = placeInWords({ seconds: left.seconds ?? undefined, page: left.page ?? undefined });
  return reply.code(201).type("application/json; charset=utf-8").send({ text, place, at });
}

function placeOf(
  { kind }: ShownFile,
  { at, page }: { readonly at: string; readonly page: string },
): NotePlace {
  if (kind === "pdf") return page === "" || Number(page) === 0 ? {} : { page: Number(page) };
  if ((kind !== "video" && kind !== "audio") || at === "") return {};
  const [, hours = "0", minutes = "0", seconds] = time.exec(at) ?? [];
  if (seconds === undefined) throw badNote({ path: ["at"], message: "is a time like 0:01:23" });
  const total = Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds);
  return { seconds: Math.round(total * 1000) / 1000 };
}

function badNote(
  issue: { readonly path: readonly PropertyKey[]; readonly message: string } | undefined,
): ExhibitError {
  const names: Readonly<Record<string, string>> = { at: "The time", page: "The page" };
  const what = names[String(issue?.path[0])] ?? "The note";
  return new ExhibitError("usage.invalid", `${what} ${issue?.message ?? "is not right"}.`);
}
