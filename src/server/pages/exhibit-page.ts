import type { LeftNote } from "../shares/leave-note.ts";
import type { StoredShare } from "../shares/share-rows.ts";
import { exhibitSection, titleOf } from "./exhibit-section.ts";
import { foreign, html, type Html } from "./html.ts";
import { linkEnded, messageCard } from "./message-page.ts";
import type { PageAssets } from "./page-assets.ts";
import { pageFrame } from "./page-frame.ts";
import type { ShownExhibit } from "./shown-exhibits.ts";
import { timeInWords } from "./plain-words.ts";

export interface ExhibitPage {
  readonly organisation: string;
  readonly share: StoredShare;
  /** In the share's order. */
  readonly exhibits: readonly ShownExhibit[];
  /** What was left through this share, oldest first. */
  readonly notes: readonly LeftNote[];
  /** The last step of the page's own address, to build relative addresses from. */
  readonly token: string;
  readonly assets: PageAssets;
}

/** What the recipient sees after the code: who shares what, until when, and the exhibits. */
export function exhibitPage(page: ExhibitPage): string {
  const { organisation, share, exhibits, token, assets } = page;
  const notes = share.no_notes === 1 ? undefined : page.notes;
  const [first] = exhibits;
  const title =
    exhibits.length === 1 && first !== undefined ? titleOf(first) : `${exhibits.length} exhibits`;
  return pageFrame({
    organisation,
    assets,
    title,
    head: html`<script src="${assets.player}" defer></script>
      <script src="${assets.script}" defer></script>`,
    body: html`<div id="viewing" data-base="${token}/">
        <section class="summary" aria-labelledby="title">
          <p class="overline">Shared with you by <bdi>${share.organisation}</bdi></p>
          <h1 id="title">${foreign(title)}</h1>
          ${facts(share)}
          ${contents(exhibits)}
        </section>
        <p id="line" class="line" role="status" hidden>
          Checking the connection. The material is hidden until it is back.
        </p>
        ${notice(share)}
        <p class="print-only">
          This page cannot be printed with its exhibits. Open the link to view them.
        </p>
        ${exhibits.map((exhibit) => exhibitSection(exhibit, { access: share.access, token, only: exhibits.length === 1, notes }))}
      </div>
      <template id="ended">${messageCard(linkEnded)}</template>`,
  });
}

/** Leads to each exhibit, where there are so many that they do not stand on one screen. */
function contents(exhibits: readonly ShownExhibit[]): Html | undefined {
  if (exhibits.length < 3) return undefined;
  return html`<nav class="contents" aria-label="Exhibits on this page">
    <ol>
      ${exhibits.map(
        (exhibit) =>
          html`<li>
            <a href="#${exhibit.id}"
              ><span class="mono">${exhibit.reference}</span>${exhibit.record.title === undefined ? undefined : html` ${foreign(exhibit.record.title)}`}</a
            >
          </li>`,
      )}
    </ol>
  </nav>`;
}

function facts(share: StoredShare): Html {
  return html`<dl class="facts">
    <div>
      <dt>For</dt>
      <dd>${foreign(share.recipient_name)}</dd>
    </div>
    ${
      share.purpose === null
        ? undefined
        : html`<div>
          <dt>Purpose</dt>
          <dd>${foreign(share.purpose)}</dd>
        </div>`
    }
    <div>
      <dt>Available until</dt>
      <dd><time datetime="${share.expires_at}">${timeInWords(share.expires_at)}</time></dd>
    </div>
    <div>
      <dt>Share</dt>
      <dd><code>${share.id}</code></dd>
    </div>
  </dl>`;
}

function notice(share: StoredShare): Html {
  return html`<p class="notice">
    <strong>For you alone.</strong> What is shown here is a working copy marked with your name, the
    time and the share <code>${share.id}</code>; the original is unaltered. Every access is recorded.
    ${
      share.access === "original"
        ? html` <strong>The originals you download carry no mark and cannot be recalled:</strong> keep
          them as the law and your organisation require.`
        : undefined
    }
  </p>`;
}
