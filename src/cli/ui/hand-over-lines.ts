import { formatAddress } from "../../evidence/address.ts";
import type { NewShare } from "../../evidence/ports/sharing.ts";
import type { Share } from "../../evidence/share.ts";
import { toTheSecond } from "./result.ts";
import type { Theme } from "./theme.ts";
import { visible } from "./visible.ts";

/** What to do with a new link and code, or what was done with them. */
export function handOverLines(created: NewShare, theme: Theme): string[] {
  const { share, code } = created;
  const name = visible(share.recipient.name);
  const what = visible(share.exhibits.filter(isIn).map(formatAddress).join(", "));
  const how = share.access === "view" ? "watermarked viewing only" : "the unaltered originals";
  return [
    "",
    ...(code === undefined ? [] : [`Access code:  ${theme.strong(code)}`, ""]),
    `Share ${theme.strong(share.id)}: ${what}, for ${name}, until ${toTheSecond(share.expiresAt)}, ${how}.`,
    ...howItGoes(created, theme),
    `To cut it off: exhibit share revoke ${share.id}`,
  ];
}

function isIn({ revokedAt }: Share["exhibits"][number]): boolean {
  return revokedAt === undefined;
}

function howItGoes({ share, code, reach }: NewShare, theme: Theme): string[] {
  const name = visible(share.recipient.name);
  const { delivery } = share;
  if (delivery !== undefined) return mailLines(share, delivery, theme);
  if (code !== undefined) {
    return [
      `Nothing was sent to anyone. Send ${name} the link, and pass the code by another way: by telephone or in`,
      "person, never in the same message. Both are shown only this once.",
    ];
  }
  return [
    reach === "company"
      ? `Nothing was sent to anyone. Send ${name} the link; it opens for everybody of the organisation who signs in.`
      : `Nothing was sent to anyone. Send ${name} the link; it opens for who signs in as ${visible(share.recipient.email)}, and for those who work in the store's folder.`,
  ];
}

function mailLines(
  share: Share,
  { state, reply = "no answer yet", until }: NonNullable<Share["delivery"]>,
  theme: Theme,
): string[] {
  const to = visible(share.recipient.email);
  const code = "Codes go to the same address, each when it is asked for on the page.";
  if (state === "sent") {
    return [`${theme.good("✔")} The link went by mail to ${to}. ${code}`];
  }
  if (state === "waiting") {
    return [
      `${theme.warning("!")} The mail to ${to} has not gone out yet (${visible(reply)}). It is tried again until ${toTheSecond(until ?? share.expiresAt)};`,
      `exhibit share show ${share.id} tells what became of it. ${code}`,
    ];
  }
  return [
    `${theme.bad("✘")} The mail server did not take the mail to ${to} (${visible(reply)}). The share is made, but nobody was told of it.`,
    `Is the address right? If not, revoke this share and make a new one. If it is, pass link and code by hand: exhibit share renew ${share.id} --no-mail`,
  ];
}

/** What became of the mail with a share's link, in few words. */
export function deliveryInWords({ delivery, state: share }: Share): string | undefined {
  if (delivery === undefined) return undefined;
  const { state, at, reply, until } = delivery;
  const when = at === undefined ? "" : ` ${toTheSecond(at)}`;
  const why = reply === undefined ? "" : ` (${reply})`;
  if (state === "sent") return `sent${when}`;
  if (state === "refused") return `not delivered${when}${why}`;
  const goesOn = share === "open" && until !== undefined;
  return `waiting${why}${goesOn ? `, tried until ${toTheSecond(until)}` : ""}`;
}
