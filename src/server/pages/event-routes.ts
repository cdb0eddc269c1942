import type { FastifyInstance } from "fastify";
import { PassThrough } from "node:stream";
import { sharePagePath } from "../../protocol/shares.ts";
import type { OpenPage } from "../shares/live-shares.ts";
import type { ShareDesk } from "../shares/share-desk.ts";
import type { GuardedViewing } from "./guarded-viewing.ts";
import { visitOf, type LinkRoute } from "./visit.ts";

const config = { access: "public" } as const;

/** More pages of one share than this at once is nobody looking. */
const mostPages = 50;

/**
 * `GET /s/TOKEN/events`: server events (WHATWG HTML, "Server-sent events"): `beat` every 1.5 s, `exhibit-ended`
 * with the exhibit's id, `ended` or, where only this session is over, `session-over`, after which the line closes.
 * `GET /s/TOKEN/session`: 204 while the session stands; else what {@link guardViewing} answers.
 */
export function eventRoutes(app: FastifyInstance, desk: ShareDesk, guarded: GuardedViewing): void {
  app.get(
    `${sharePagePath}/:token/session`,
    { config, exposeHeadRoute: false },
    async (_request, reply) => reply.code(204).send(),
  );

  app.get<LinkRoute>(
    `${sharePagePath}/:token/events`,
    { config, exposeHeadRoute: false },
    async (request, reply) => {
      const { share, session } = guarded.of(request);
      if (desk.live.pages(share.id).length >= mostPages) {
        return reply.code(503).header("retry-after", 30).send();
      }
      const lines = new PassThrough();
      const send = (event: string, data: string): void => {
        lines.write(`event: ${event}\ndata: ${data}\n\n`);
      };
      const page: OpenPage = {
        session: session.id,
        tell: (event) => {
          send(event.type, JSON.stringify(event));
        },
        beat: () => {
          send("beat", "");
        },
        close: () => {
          lines.end();
        },
      };
      const leave = desk.live.open(share.id, page);
      reply.raw.once("close", () => {
        leave();
        lines.destroy();
      });
      lines.write("retry: 1000\n\n");
      // Entered first, then read again: a revocation in between is seen by one or the other.
      const { state } = await visitOf(desk, request);
      if (state !== "viewing") {
        page.tell({ type: state === "timed-out" ? "session-over" : "ended" });
        page.close();
      }
      return reply.type("text/event-stream").headers({ "x-accel-buffering": "no" }).send(lines);
    },
  );
}
