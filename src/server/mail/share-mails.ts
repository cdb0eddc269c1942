import type { OutgoingMail } from "../../evidence/ports/mail.ts";
import type { Recipient, ShareAccess } from "../../evidence/share.ts";
import { timeInWords } from "../pages/plain-words.ts";
import { html, type Html } from "../pages/html.ts";

/** What is said of a share in a mail: no case, no exhibit, no purpose. Others read mail, too. */
interface MailedShare {
  readonly id: string;
  readonly recipient: Recipient;
  /** The officer's organisation. */
  readonly organisation: string;
  readonly access: ShareAccess;
  readonly expiresAt: string;
}

/** The mail that brings a share's link. */
export function linkMail(id: string, share: MailedShare, link: string): OutgoingMail {
  const seen =
    share.access === "view"
      ? "You will see watermarked copies: they carry your name, the time and the share's number."
      : "You can look at watermarked copies, and download the unaltered originals. Keep those as the law and your organisation require.";
  const steps = [
    "Open the link, and press “Send me the code”. A code comes to this address in a second mail. Type it in, and you are there.",
    `You need a browser on a PC, tablet or phone; no account, and nothing to install. ${seen}`,
    `It works until ${timeInWords(share.expiresAt)}. It is for you alone: every access is recorded.`,
    `If you did not expect this, do not open it: ask ${share.organisation}, under a number that you know and not one from a mail. Give them the share's number, ${share.id}.`,
  ];
  return {
    id,
    to: { name: share.recipient.name, address: share.recipient.email },
    fromName: share.organisation,
    subject: `${share.organisation} shares material with you (${share.id})`,
    ...written(
      share,
      [`${share.organisation} shares material with you, on a secure page.`, link, ...steps],
      html`<p>${share.organisation} shares material with you, on a secure page:</p>
        <p style="${styles.box}"><a href="${link}" style="${styles.link}">${link}</a></p>
        ${steps.map((step) => html`<p>${step}</p>`)}`,
    ),
  };
}

/** The mail that brings a code, good once and for some minutes. */
export function codeMail(
  id: string,
  share: MailedShare,
  code: string,
  minutes: number,
): OutgoingMail {
  const steps = [
    `It opens the page that ${share.organisation} shared with you (${share.id}), once, within ${minutes} minutes, and only if it is the newest. Another can be asked for on the page.`,
    "If you did not ask for it, somebody else has your link. The code is in this mail alone: give it to nobody.",
  ];
  return {
    id,
    to: { name: share.recipient.name, address: share.recipient.email },
    fromName: share.organisation,
    subject: `Your access code (${share.id})`,
    ...written(
      share,
      [`Your access code: ${code}`, ...steps],
      html`<p>Your access code:</p>
        <p style="${styles.box}"><strong style="${styles.code}">${code}</strong></p>
        ${steps.map((step) => html`<p>${step}</p>`)}`,
    ),
  };
}

/**
 * Mail programs read styles on elements only, and some none: all of it must read as well without. The page's colours, no
 * picture, and the link as what it is: a button would hide where it leads.
 */
const styles = {
  sheet:
    "margin: 0; padding: 24px 12px; background: #f1f3f6; color: #16202c; font: 16px/1.5 'Segoe UI', Roboto, Helvetica, Arial, sans-serif",
  letter:
    "max-width: 36em; margin: 0 auto; padding: 8px 28px 20px; background: #ffffff; border: 1px solid #d5dbe3; border-top: 6px solid #14264a",
  box: "margin: 20px 0; padding: 12px 16px; background: #eef4fb; border-left: 4px solid #1c5aa6",
  link: "color: #1c5aa6; font-weight: bold; word-break: break-all",
  code: "font: bold 26px Consolas, 'Liberation Mono', monospace; letter-spacing: 2px",
  closing:
    "margin: 24px 0 0; padding-top: 12px; border-top: 1px solid #d5dbe3; color: #4a5868; font-size: 14px",
} as const;

function written(
  { recipient }: MailedShare,
  paragraphs: readonly string[],
  body: Html,
): Pick<OutgoingMail, "text" | "html"> {
  const greeting = `Dear ${recipient.name},`;
  const closing = "This mail was sent by a program. Answers to it may not be read.";
  return {
    text: `${[greeting, ...paragraphs, closing].join("\n\n")}\n`,
    html: html`<!doctype html>
      <html lang="en-GB">
        <head>
          <meta charset="utf-8" />
          <meta name="viewport" content="width=device-width" />
        </head>
        <body style="${styles.sheet}">
          <div style="${styles.letter}">
            <p>${greeting}</p>
            ${body}
            <p style="${styles.closing}">${closing}</p>
          </div>
        </body>
      </html> `.text,
  };
}
