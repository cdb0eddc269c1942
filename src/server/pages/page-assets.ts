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

/** Where a page beside them, `/s/TOKEN`, finds its files. */
export async function pageAssets(): Promise<PageAssets> {
  const named = async ({ name, at }: (typeof files)[keyof typeof files]): Promise<string> =>
    `assets/${name}?v=${sha256Of(await readFile(at)).slice(0, 12)}`;
  return {
    style: await named(files.style),
    script: await named(files.script),
    icon: await named(files.icon),
    player: await named(files.player),
  };
}

/** The style and icon of a page at another address of this server, `url` as the request has it: relative to that one. */
export function assetsFrom(
  { style, icon }: PageAssets,
  url: string,
): Pick<PageAssets, "style" | "icon"> {
  const [path = "/"] = url.split("?");
  const up = "../".repeat(Math.max(0, path.split("/").length - 2));
  const base = `${up || "./"}${sharePagePath.slice(1)}/`;
  return { style: `${base}${style}`, icon: `${base}${icon}` };
}

/** `GET /s/assets/NAME`: the page's own files, hls.js among them. They hold nothing secret and may be kept. */
export async function assetRoutes(app: FastifyInstance): Promise<void> {
  for (const { name, type, at } of Object.values(files)) {
    const bytes = await readFile(at);
    app.get(`${sharePagePath}/assets/${name}`, { config: { access: "public" } }, (_, reply) => {
      setPageHeaders(reply);
      return reply.type(type).header("cache-control", "public, max-age=86400").send(bytes);
    });
  }
}
