import { html } from "./html.ts";
import type { PageAssets } from "./page-assets.ts";
import { pageFrame } from "./page-frame.ts";

/** What goes before the code, and after one that was refused. Holds nothing of the share: it is the same for every link. */
export type CodePageState = "ask" | "refused" | { readonly waitMinutes: number };

/** The page with the code's field, byte for byte the same for every link in the same state, known or not. */
export function codePage(organisation: string, assets: PageAssets, state: CodePageState): string {
  const message = messageOf(state);
  return pageFrame({
    organisation,
    assets,
    title: "Access code",
    body: html`<section class="card code" aria-labelledby="code-title">
      <h1 id="code-title">Enter your access code</h1>
      <form method="post" autocomplete="off">
        <label for="code">Access code</label>
        <p id="code-help" class="help">
          Eight letters and digits. You were given it separately from this link.
        </p>
        ${
          message === undefined
            ? undefined
            : html`<p id="code-error" class="error" role="alert"><strong>Not opened.</strong> ${message}</p>`
        }
        <input
          id="code"
          name="code"
          type="text"
          required
          maxlength="32"
          autofocus
          autocapitalize="characters"
          autocomplete="one-time-code"
          spellcheck="false"
          aria-describedby="code-help${message === undefined ? "" : " code-error"}"
          ${message === undefined ? undefined : html`aria-invalid="true"`}
        />
        <button type="submit">Open</button>
      </form>
    </section>`,
  });
}

function messageOf(state: CodePageState): string | undefined {
  if (state === "ask") return undefined;
  if (state === "refused") {
    return "This code does not open this link. Check both with the person who gave them to you.";
  }
  const minutes = state.waitMinutes;
  return `There were too many tries. Wait ${minutes} ${minutes === 1 ? "minute" : "minutes"}, then try again.`;
}

/** What a recipient who was in sees when it is over. */
export function endedPage(organisation: string, assets: PageAssets): string {
  return pageFrame({
    organisation,
    assets,
    title: "This link has ended",
    body: html`<section class="card ended">
      <h1>This link has ended</h1>
      <p>
        Its time is over, or it was withdrawn. If you still need this material, ask the person who
        shared it with you.
      </p>
    </section>`,
  });
}
