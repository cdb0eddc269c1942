import cookie from "@fastify/cookie";
import form from "@fastify/formbody";
import type { FastifyInstance } from "fastify";
import type { ShareDesk } from "../shares/share-desk.ts";
import { contentRoutes } from "./content-routes.ts";
import { eventRoutes } from "./event-routes.ts";
import { guardViewing } from "./guarded-viewing.ts";
import { linkRoutes } from "./link-routes.ts";
import { noteRoutes } from "./note-routes.ts";
import { originalRoutes } from "./original-routes.ts";
import { assetRoutes, pageAssets } from "./page-assets.ts";
import { refuseOtherSites } from "./other-sites.ts";
import { setPageHeaders } from "./page-headers.ts";

/** Largest form: a note, every character of it spelt out in percents. */
const formBytes = 16_384;

/** The recipient's side, `/s/…`: pages for people, not an API. No account; the link, its code and a session. */
export async function sharePages(app: FastifyInstance, desk: ShareDesk): Promise<void> {
  await assetRoutes(app);
  await app.register(cookie);
  await app.register(form, { bodyLimit: formBytes });
  app.addHook("onRequest", (_request, reply, done) => {
    setPageHeaders(reply);
    void reply.type("text/html; charset=utf-8");
    done();
  });
  app.addHook("onRequest", refuseOtherSites);
  linkRoutes(app, desk, await pageAssets());
  await app.register((scope, _options, done) => {
    const guarded = guardViewing(scope, desk);
    eventRoutes(scope, desk, guarded);
    contentRoutes(scope, desk, guarded);
    originalRoutes(scope, desk, guarded);
    noteRoutes(scope, desk, guarded);
    done();
  });
}
