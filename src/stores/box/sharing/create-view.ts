import { ExhibitError, hasCode } from "../../../evidence/errors.ts";
import { newCode } from "../../../evidence/share-secrets.ts";
import type { BoxAccount } from "../enterprise/account.ts";
import type { Calls } from "./calls.ts";
import { extend, invite, requireUninvited, type BoxCollaboration } from "./collaborations.ts";
import { makeCopies } from "./copies.ts";
import type { Made } from "./create.ts";
import type { Desk } from "./desk.ts";
import type { BoxItemId, Intent, MadeCollaboration, MadeCopy } from "./documents.ts";
import { checkLink } from "./link-check.ts";
import { leftAs, putLink } from "./link.ts";
import { reaches } from "./reach.ts";
import { surelyFolder } from "./surely.ts";

/** Makes the copies of a share, marks each, invites where the link is for who is invited, and only then makes the one link. */
export async function shareCopies(
  desk: Desk,
  calls: Calls,
  intent: Intent,
  account: BoxAccount,
  signal: AbortSignal,
): Promise<Made> {
  const { reach = "open", expiresAt, recipient } = intent;
  const { folders } = desk.files;
  const folderId = await surelyFolder(folders, desk.shelf.copiesPath(intent.id), signal);
  const copies = await makeCopies(calls, folders, folderId, intent.copies, signal);
  const on = linkedItem(copies, folderId, reach);
  const invited =
    reach === "collaborators" ? await previewer(calls, on, intent, signal) : undefined;
  const code = reach === "open" ? newCode() : undefined;
  const wanted = { access: reach, password: code, expiresAt };
  const link = await putLink(calls, on, wanted, undefined, signal);
  if (link === undefined) throw noLink();
  const verdict = checkLink(link, wanted, code !== undefined, (access) =>
    reaches(access, reach, recipient.email, account),
  );
  if (invited?.made.expires === true && Date.parse(verdict.expiresAt) < Date.parse(expiresAt)) {
    // Box ends the link sooner: so does the invitation beside it.
    const { id, role } = invited.made;
    await extend(calls, id, { role, expiresAt: verdict.expiresAt }, signal);
  }
  return {
    document: {
      ...intent,
      schema: "exhibit.box-share/1",
      expiresAt: verdict.expiresAt,
      copies,
      link: leftAs(on, link),
      collaborations: invited === undefined ? [] : [invited.made],
    },
    link: link.url,
    code,
    warnings: [...verdict.warnings, ...(invited?.warnings ?? [])],
  };
}

/**
 * What the link is on: the one file, or the folder of several. For who is invited always the folder, because Box is not known to have
 * the role of a previewer for single files.
 */
function linkedItem(
  copies: readonly MadeCopy[],
  folderId: string,
  reach: Intent["reach"],
): BoxItemId {
  const [only, ...others] = copies;
  const isFile = only !== undefined && others.length === 0 && reach !== "collaborators";
  return isFile ? { type: "file", id: only.id } : { type: "folder", id: folderId };
}

interface Invited {
  readonly made: MadeCollaboration;
  readonly warnings: readonly string[];
}

/** Invites the recipient to look, and no more; until the share's end, where the enterprise lets invitations end. */
async function previewer(
  calls: Calls,
  on: BoxItemId,
  { recipient, expiresAt }: Intent,
  signal: AbortSignal,
): Promise<Invited> {
  const invitation = { on, email: recipient.email, role: "previewer" } as const;
  await requireUninvited(calls, invitation, signal);
  try {
    const made = await invite(calls, { ...invitation, expiresAt }, signal);
    return invited(made, on, true, []);
  } catch (error) {
    if (!hasCode(error, "policy.not-permitted") && !hasCode(error, "policy.unsupported"))
      throw error;
    const made = await invite(calls, { ...invitation, expiresAt: undefined }, signal);
    return invited(made, on, false, [
      "The enterprise does not let invitations end by themselves: after the link has ended the recipient still sees the copies in Box, until you run exhibit share revoke.",
    ]);
  }
}

function invited(
  { id, status }: BoxCollaboration,
  on: BoxItemId,
  expires: boolean,
  warnings: readonly string[],
): Invited {
  return {
    made: { id, on, role: "previewer", expires },
    warnings: [...warnings, ...pendingWarnings(status)],
  };
}

/** What must be known of an invitation that nobody has accepted. */
export function pendingWarnings(status: string | null | undefined): string[] {
  if (status !== "pending") return [];
  return [
    "Box knows no account with the recipient's address, or it has not accepted yet: they must sign up or in with exactly this address.",
  ];
}

function noLink(): ExhibitError {
  return new ExhibitError("unavailable.store", "Box accepted the link and shows none.", {
    hint: "Nothing was shared. Try again; exhibit doctor says what the enterprise allows.",
  });
}
