import { html, type Html } from "./html.ts";
import type { PageAssets } from "./page-assets.ts";
import { pageFrame } from "./page-frame.ts";

/** What a page says that says one thing only. */
export interface Message {
  readonly title: string;
  readonly words: string;
}

/** To whoever was in, when the share's time is over or it was withdrawn. */
export const linkEnded: Message = {
  title: "This link has ended",
  words:
    "Its time is over, it was withdrawn, or a new link took its place. If you still need this material, ask the person who shared it with you.",
};

/** A message in its card, where it stands in a page or takes the place of one. */
export function messageCard({ title, words }: Message): Html {
  return html`<section class="card">
    <h1 tabindex="-1">${title}</h1>
    <p>${words}</p>
  </section>`;
}

/** A page with nothing but a message. */
export function messagePage(
  organisation: string,
  assets: Pick<PageAssets, "style" | "icon">,
  message: Message,
): string {
  return pageFrame({ organisation, assets, title: message.title, body: messageCard(message) });
}
