import type { FastifyInstance } from "fastify";
import type { ServerDeps } from "../deps.ts";
import { Outbox } from "../mail/outbox.ts";
import { sharePages } from "../pages/routes.ts";
import { smokeRoutes } from "../smoke/routes.ts";
import { createRenditions } from "../watermark/renditions.ts";
import { CodeAttempts } from "./code-attempts.ts";
import { LateLog } from "./late-log.ts";
import { LiveShares } from "./live-shares.ts";
import { shareRoutes } from "./routes.ts";
import type { ShareDesk } from "./share-desk.ts";
import { watchShares } from "./share-watch.ts";

/** Shares and the recipient's pages: they have one desk between them, so that what one revokes the other stops. */
export async function sharing(app: FastifyInstance, deps: ServerDeps): Promise<void> {
  const failed = (error: unknown, what: string): void => {
    app.log.error({ errorName: error instanceof Error ? error.name : "unknown" }, what);
  };
  const late = new LateLog(deps.database, deps.clock, (error) => {
    failed(error, "share log");
  });
  const { mail } = deps;
  const outbox =
    mail &&
    new Outbox({ ...deps, mail }, (error) => {
      failed(error, "mail");
    });
  const desk: ShareDesk = {
    deps,
    renditions: createRenditions({ content: deps.content, scratch: deps.settings.scratch }),
    live: new LiveShares(deps.clock),
    attempts: new CodeAttempts(deps.clock),
    late,
    outbox,
  };
  const watch = watchShares(desk, (error) => {
    failed(error, "share watch");
  });
  // Before the server waits for its requests to end: open pages never would.
  app.addHook("preClose", () => {
    watch.stop();
    desk.live.close();
  });
  app.addHook("onClose", async () => {
    await late.settled();
    await outbox?.close();
    await desk.renditions.close();
  });

  shareRoutes(app, desk);
  smokeRoutes(app, desk);
  await app.register((scope) => sharePages(scope, desk));
}
