import type { PageAssets } from "./page-assets.ts";
import { html, type Html, type Inset } from "./html.ts";

/** What every page of the recipient's stands in. */
export interface Frame {
  /** Who runs this server; shown on top. */
  readonly organisation: string;
  readonly title: string;
  readonly body: Inset;
  /** Extra elements for the head: the exhibit page's scripts. */
  readonly head?: Html | undefined;
  readonly assets: Pick<PageAssets, "style" | "icon">;
}

/** A whole document. Its addresses are relative, so that it stands under any public URL. */
export function pageFrame({ organisation, title, body, head, assets }: Frame): string {
  return html`<!doctype html>
    <html lang="en-GB">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="robots" content="noindex" />
        <meta name="color-scheme" content="light" />
        <title>${title} – ${organisation}</title>
        <link rel="icon" href="${assets.icon}" />
        <link rel="stylesheet" href="${assets.style}" />
        ${head}
      </head>
      <body>
        <a class="skip" href="#main">Skip to the content</a>
        <header class="top">
          <p class="organisation"><bdi>${organisation}</bdi></p>
          <p class="service">Secure evidence viewing</p>
        </header>
        <main id="main" tabindex="-1">${body}</main>
      </body>
    </html> `.text;
}
