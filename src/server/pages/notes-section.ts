import { longestNote, placeInWords } from "../../evidence/note.ts";
import type { ShownAs } from "../shares/file-kinds.ts";
import type { LeftNote } from "../shares/leave-note.ts";
import { foreign, html, type Html } from "./html.ts";
import { timeInWords } from "./plain-words.ts";

export interface NotesSection {
  readonly kind: ShownAs;
  /** The file's name on the page, for ids of elements. */
  readonly id: string;
  /** Where a note is sent. */
  readonly url: string;
  /** Those on this file. */
  readonly notes: readonly LeftNote[];
}

/** The notes that were left on a file, and the form for another. The script fills in where the recording is. */
export function notesSection({ kind, id, url, notes }: NotesSection): Html {
  return html`<details class="notes" ${notes.length > 0 ? html`open` : undefined}>
    <summary>Notes <span class="aside">to the people who shared this with you</span></summary>
    <ol class="left" aria-label="Your notes">
      ${notes.map(leftNote)}
    </ol>
    <form method="post" action="${url}" data-notes>
      <label for="note-${id}">Your note</label>
      <textarea
        id="note-${id}"
        name="text"
        rows="3"
        maxlength="${longestNote}"
        required
        aria-describedby="help-${id}"
      ></textarea>
      <p id="help-${id}" class="help">
        Up to ${longestNote} characters. It is kept with the exhibit's history and cannot be taken back; the exhibit itself
        stays as it is.
      </p>
      <div class="row">
        ${placeField(kind, id)}
        <button type="submit">Leave the note</button>
      </div>
      <p class="help" role="status" data-told></p>
    </form>
  </details>`;
}

function placeField(kind: ShownAs, id: string): Html | undefined {
  if (kind === "video" || kind === "audio") {
    return html`<div>
      <label for="at-${id}">Time in the recording</label>
      <input id="at-${id}" name="at" value="0:00:00" maxlength="12" autocomplete="off" spellcheck="false" />
    </div>`;
  }
  if (kind !== "pdf") return undefined;
  return html`<div>
    <label for="page-${id}">Page (if it is about one)</label>
    <input id="page-${id}" name="page" inputmode="numeric" pattern="[0-9]*" maxlength="5" autocomplete="off" />
  </div>`;
}

function leftNote({ seconds, page, text, at }: LeftNote): Html {
  const place = placeInWords({ seconds: seconds ?? undefined, page: page ?? undefined });
  return html`<li>
    <p class="place">${place === "" ? undefined : html`<strong>${place}</strong>, `}left <time datetime="${at}">${timeInWords(at)}</time></p>
    ${text.split("\n").map((line) => html`<p>${foreign(line)}</p>`)}
  </li>`;
}
