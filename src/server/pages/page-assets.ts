import type { FastifyInstance } from "fastify";
import { readFile } from "node:fs/promises";
import { sha256Of } from "../../evidence/digest.ts";
import { sharePagePath } from "../../protocol/shares.ts";
import { setPageHeaders } from "./page-headers.ts";

/** Where the page finds its files, relative to itself. The digest in them makes a new version a new address. */
export interface PageAssets {
  readonly style: string;
  readonly script: string;
  readonly player: string;
  readonly icon: string;
}

const own = new URL("./assets/", import.meta.url);

const files = {
  style: { name: "page.css", type: "text/css; charset=utf-8", at: new URL("page.css", own) },
  script: { name: "page.js", type: "text/javascript; charset=utf-8", at: new URL("page.js", own) },
  icon: { name: "icon.svg", type: "image/svg+xml", at: new URL("icon.svg", own) },
  player: {
    name: "hls.js",
    type: "text/javascript; charset=utf-8",
    at: new URL(import.meta.resolve("hls.js/dist/hls.light.min.js")),
  },
} as const;

/** `GET /s/assets/NAME`: the page's own files, hls.js among them. They hold nothing secret and may be kept. */
export async function assetRoutes(app: FastifyInstance): Promise<PageAssets> {
  const serve = async ({ name, type, at }: (typeof files)[keyof typeof files]): Promise<string> => {
    const bytes = await readFile(at);
    app.get(`${sharePagePath}/assets/${name}`, { config: { access: "public" } }, (_, reply) => {
      setPageHeaders(reply);
      return reply.type(type).header("cache-control", "public, max-age=86400").send(bytes);
    });
    return `assets/${name}?v=${sha256Of(bytes).slice(0, 12)}`;
  };
  return {
    style: await serve(files.style),
    script: await serve(files.script),
    icon: await serve(files.icon),
    player: await serve(files.player),
  };
}
