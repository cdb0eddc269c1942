import { ExhibitError, hasCode } from "../../../evidence/errors.ts";
import { folderPage, type BoxAccount } from "../enterprise/account.ts";
import type { Calls } from "./calls.ts";
import { invite, requireUninvited, type BoxCollaboration } from "./collaborations.ts";
import { pendingWarnings } from "./create-view.ts";
import type { Made } from "./create.ts";
import type { Intent, MadeCollaboration } from "./documents.ts";

/**
 * Invites the recipient to the exhibits' own folders, as a viewer who can download, until the share's end. `begun` gets each folder whose
 * invitation may be ours, before it is made: what others have made there is not to be taken down.
 */
export async function inviteToFolders(
  calls: Calls,
  intent: Intent,
  account: BoxAccount,
  begun: Intent["folders"][number][],
  signal: AbortSignal,
): Promise<Made> {
  const { recipient, expiresAt } = intent;
  const collaborations: MadeCollaboration[] = [];
  const warnings = new Set([
    "The recipient can download the unaltered originals. Downloaded copies carry no mark and cannot be recalled.",
  ]);
  for (const folder of intent.folders) {
    const { exhibit, id } = folder;
    const on = { type: "folder", id } as const;
    const invitation = { on, email: recipient.email, role: "viewer", expiresAt } as const;
    await requireUninvited(calls, invitation, signal);
    begun.push(folder);
    const made = await invite(calls, invitation, signal).catch(
      (error: unknown): BoxCollaboration => {
        if (hasCode(error, "conflict.exists")) begun.pop();
        throw refusedFor(error);
      },
    );
    collaborations.push({ id: made.id, on, exhibit, role: "viewer", expires: true });
    for (const warning of pendingWarnings(made.status)) warnings.add(warning);
  }
  const [link = account.webUrl, ...furtherLinks] = intent.folders.map(({ id }) =>
    folderPage(account, id),
  );
  return {
    document: { ...intent, schema: "exhibit.box-share/1", copies: [], collaborations },
    link,
    ...(furtherLinks.length === 0 ? {} : { furtherLinks }),
    code: undefined,
    warnings: [...warnings],
  };
}

/** Why Box did not take an invitation: it gives the same answer for several reasons. */
function refusedFor(error: unknown): unknown {
  if (!hasCode(error, "policy.not-permitted") && !hasCode(error, "policy.unsupported"))
    return error;
  const { facts } = error;
  return new ExhibitError(
    "policy.not-permitted",
    "Box did not take an invitation that ends by itself.",
    {
      hint:
        'Nothing was shared. In the Admin Console, Enterprise Settings, Content & Sharing, these must allow it: "Automatically remove invited collaborators" ' +
        'with "Allow folder owners to extend the expiry date", and external collaboration for the recipient\'s domain; and your role in the folder must be Editor or better. exhibit doctor says which.',
      facts,
      cause: error,
    },
  );
}
