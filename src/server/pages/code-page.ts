import { html, type Html } from "./html.ts";
import type { PageAssets } from "./page-assets.ts";
import { pageFrame } from "./page-frame.ts";

/**
 * What goes before the code, after one that was asked for or refused, and when a viewing session is over. Holds nothing of the
 * share: it is the same for every link.
 */
export type CodePageState =
  "ask" | "sent" | "refused" | "timed-out" | { readonly waitMinutes: number };

/** What the page says of its server. */
interface CodePageServer {
  readonly organisation: string;
  /** It can send codes by mail. */
  readonly mails: boolean;
}

/** The page with the code's field, byte for byte the same for every link in the same state, known or not. */
export function codePage(
  { organisation, mails }: CodePageServer,
  assets: PageAssets,
  state: CodePageState,
): string {
  const message = messageOf(state, mails);
  return pageFrame({
    organisation,
    assets,
    title: state === "sent" ? "Look into your mail" : "Access code",
    body: html`<section class="card code" aria-labelledby="code-title">
      <h1 id="code-title">Enter your access code</h1>
      ${
        state === "sent"
          ? html`<p class="told" role="status">
              <strong>Look into your mail.</strong> If this link was sent to you by mail and is still good, a code
              is on its way to the same address. It works once, for 15 minutes, and only the newest does.
              Nothing there? Look among unwanted mail, too.
            </p>`
          : undefined
      }
      ${
        state === "timed-out"
          ? html`<p class="told" role="status">
              <strong>Your viewing time is over.</strong> One code opens the page for eight hours at a time. Enter the
              code again to go on${mails ? "; if codes are sent to you by mail, have a fresh one sent to you below" : ""}.
            </p>`
          : undefined
      }
      <form method="post" autocomplete="off">
        <label for="code">Access code</label>
        <p id="code-help" class="help">
          Eight letters and digits.
          ${mails ? "You were given it separately from this link, or have it sent to you below." : "You were given it separately from this link."}
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
      ${mails ? askForm(state === "sent") : undefined}
    </section>`,
  });
}

/** A POST, and nothing that a mail scanner would do: opening the page sends nothing. */
function askForm(again: boolean): Html {
  return html`<form method="post" class="ask">
    <p id="ask-help" class="help">Was the link sent to you by mail? Then a code is sent to the same address.</p>
    <input type="hidden" name="ask" value="code" />
    <button type="submit" class="quiet" aria-describedby="ask-help">
      ${again ? "Send me another code" : "Send me the code"}
    </button>
  </form>`;
}

function messageOf(state: CodePageState, mails: boolean): string | undefined {
  if (state === "ask" || state === "sent" || state === "timed-out") return undefined;
  if (state === "refused") {
    return `This code does not open this link. Check both with the person who gave them to you${mails ? ", or have a fresh code sent to you" : ""}.`;
  }
  const minutes = state.waitMinutes;
  return `There were too many tries. Wait ${minutes} ${minutes === 1 ? "minute" : "minutes"}, then try again.`;
}
