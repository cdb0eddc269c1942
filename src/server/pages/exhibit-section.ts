import { formatAddress } from "../../evidence/address.ts";
import type { RecordFile } from "../../evidence/record.ts";
import type { ShareAccess } from "../../evidence/share.ts";
import type { ShownAs } from "../shares/file-kinds.ts";
import type { LeftNote } from "../shares/leave-note.ts";
import { foreign, html, type Html } from "./html.ts";
import { notesSection } from "./notes-section.ts";
import type { ShownExhibit } from "./shown-exhibits.ts";
import { secondInWords, sizeInWords, timeInWords } from "./plain-words.ts";

const kindInWords: Readonly<Record<ShownAs, string>> = {
  video: "Video",
  audio: "Recording",
  image: "Picture",
  pdf: "Document",
  none: "File",
};

/** The address of something of a file, relative to the page. */
function fileUrl(token: string, exhibit: string, ordinal: number, name: string): string {
  return `${token}/x/${exhibit}/${ordinal}/${name}`;
}

export interface SectionOptions {
  readonly access: ShareAccess;
  /** The last step of the page's own address. */
  readonly token: string;
  /** True when the page has no other exhibit, and its own title says what this is. */
  readonly only: boolean;
  /** The share's notes on all exhibits; undefined where none can be left. */
  readonly notes: readonly LeftNote[] | undefined;
}

/** What an exhibit is called on the page. */
export function titleOf({ record, reference }: ShownExhibit): string {
  return record.title ?? `Exhibit ${reference}`;
}

/** One exhibit: its files to be seen or, for an `original` share, to be downloaded, and what is known of it. */
export function exhibitSection(
  exhibit: ShownExhibit,
  { access, token, only, notes }: SectionOptions,
): Html {
  const { record, reference } = exhibit;
  const many = record.files.length > 1;
  return html`<article class="exhibit" id="${exhibit.id}" aria-labelledby="h-${exhibit.id}">
    <header>
      <h2 id="h-${exhibit.id}">
        <span class="reference">${reference}</span>
        <span>${only ? html`Case ${foreign(exhibit.case)}` : foreign(titleOf(exhibit))}</span>
      </h2>
    </header>
    <div class="files">
      ${record.files.map((file, index) => {
        const kind = exhibit.kinds[index] ?? "none";
        const ordinal = index + 1;
        const label = `${kindInWords[kind]}${many ? ` ${ordinal} of ${record.files.length}` : ""}`;
        return html`<section class="file" aria-label="${label}">
          ${many ? html`<h3>${label}</h3>` : undefined}
          ${viewer(
            kind,
            (name) => fileUrl(token, exhibit.id, ordinal, name),
            `${label}, exhibit ${reference}`,
          )}
          ${
            access === "original"
              ? download(file, fileUrl(token, exhibit.id, ordinal, "original"))
              : undefined
          }
          ${
            notes === undefined
              ? undefined
              : notesSection({
                  kind,
                  id: `${exhibit.id}-${ordinal}`,
                  url: fileUrl(token, exhibit.id, ordinal, "notes"),
                  notes: notes.filter(
                    (note) => note.exhibit_id === exhibit.id && note.ordinal === ordinal,
                  ),
                })
          }
          <dl class="integrity">
            <div>
              <dt>SHA-256 of the original</dt>
              <dd><code class="digest">${file.digest.sha256}</code></dd>
            </div>
            <div>
              <dt>Original</dt>
              <dd>${file.mediaType}, ${sizeInWords(file.sizeBytes)}</dd>
            </div>
          </dl>
        </section>`;
      })}
    </div>
    ${about(exhibit, access, token)}
  </article>`;
}

function viewer(kind: ShownAs, url: (name: string) => string, label: string): Html {
  switch (kind) {
    case "video":
      return html`<div class="screen">
          <video
            controls
            playsinline
            disablepictureinpicture
            controlslist="nodownload noremoteplayback"
            preload="none"
            aria-label="${label}"
            data-playlist="${url("video.m3u8")}"
          ></video>
        </div>
        <p class="help" data-says hidden></p>`;
    case "audio":
      return html`<audio
        class="sound"
        controls
        controlslist="nodownload"
        preload="none"
        aria-label="${label}"
        src="${url("recording.mp3")}"
      ></audio>`;
    case "image":
      return html`<a class="screen" href="${url("picture.jpg")}" target="_blank" rel="noopener">
        <img src="${url("picture.jpg")}" alt="${label}; opens in full size" loading="lazy" />
      </a>`;
    case "pdf":
      return html`<p class="document">
        <a class="button" href="${url("document.pdf")}" target="_blank" rel="noopener"
          >Open the document <span class="aside">(marked copy, new tab)</span></a
        >
      </p>`;
    case "none":
      return html`<p class="help">This kind of file cannot be shown on a page.</p>`;
  }
}

function download(file: RecordFile, url: string): Html {
  const name = file.path.split("/").at(-1) ?? file.path;
  return html`<p class="download">
    <a class="button quiet" href="${url}" download>Download the original</a>
    <span class="help">${foreign(name)}, ${sizeInWords(file.sizeBytes)}</span>
  </p>`;
}

function about(exhibit: ShownExhibit, access: ShareAccess, token: string): Html {
  const { record } = exhibit;
  const rows: (readonly [string, Html | string])[] = [
    ["Exhibit", formatAddress(exhibit)],
    ...(record.recorded?.from === undefined
      ? []
      : [["Recorded from", moment(record.recorded.from, record.recorded.timeZone)] as const]),
    ...(record.recorded?.to === undefined
      ? []
      : [["Recorded to", moment(record.recorded.to, record.recorded.timeZone)] as const]),
    ...(record.clockOffset === undefined
      ? []
      : [["Recorder's clock", offsetInWords(record.clockOffset.seconds)] as const]),
    ["Collected", instant(record.collectedAt)],
  ];
  return html`<aside class="about" aria-label="About exhibit ${exhibit.reference}">
    <dl>
      ${rows.map(
        ([term, value]) =>
          html`<div>
            <dt>${term}</dt>
            <dd>${value}</dd>
          </div>`,
      )}
    </dl>
    ${
      access === "original"
        ? html`<p class="documents">
          <a href="${token}/x/${exhibit.id}/record.json" download>Signed record</a>
          <a href="${token}/x/${exhibit.id}/receipt.json" download>Signed receipt</a>
        </p>`
        : undefined
    }
  </aside>`;
}

function instant(at: string): Html {
  return html`<time datetime="${at}">${timeInWords(at)}</time>`;
}

/** A time of the recording itself: seconds matter there. */
function moment(at: string, timeZone: string): Html {
  return html`<time datetime="${at}">${secondInWords(at, timeZone)}</time>`;
}

function offsetInWords(seconds: number): string {
  if (seconds === 0) return "right, as measured";
  const size = `${Math.abs(seconds)} ${Math.abs(seconds) === 1 ? "second" : "seconds"}`;
  return `${size} ${seconds > 0 ? "fast" : "slow"}, as measured`;
}
