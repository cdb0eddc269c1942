import type { Transaction } from "kysely";
import { sha256Of } from "../../evidence/digest.ts";
import { randomId } from "../../evidence/random-id.ts";
import { newCode } from "../../evidence/share-secrets.ts";
import { sharePagePath } from "../../protocol/shares.ts";
import type { Tables } from "../database/tables.ts";
import { linkMail } from "../mail/share-mails.ts";
import type { ShareDesk } from "./share-desk.ts";
import type { StoredShare } from "./share-rows.ts";
import { digestCode, newToken, noCode } from "./share-secrets.ts";

/** A link and a code that were just made: what is kept of them, and what is shown this once. */
export interface HandOver {
  readonly kept: Pick<StoredShare, "token_sha256" | "code_salt" | "code_scrypt" | "by_mail">;
  readonly link: string;
  /** Undefined where codes go by mail, a fresh one each time. */
  readonly code: string | undefined;
}

/** Makes a share's link and, where no mail carries codes, its code. */
export async function newHandOver({ outbox, deps }: ShareDesk, mail: boolean): Promise<HandOver> {
  const token = newToken();
  const link = `${deps.settings.publicUrl}${sharePagePath}/${token}`;
  const byMail = mail && outbox !== undefined;
  const code = byMail ? undefined : newCode();
  const { salt, scrypt } = code === undefined ? noCode() : await digestCode(code);
  const kept = {
    token_sha256: sha256Of(token),
    code_salt: salt,
    code_scrypt: scrypt,
    by_mail: byMail ? 1 : 0,
  };
  return { kept, link, code };
}

/** Longest that an officer waits for the first try of a mail; it goes on without them. */
const firstTryMs = 10_000;

/** Puts the mail with a share's link into the queue, in the caller's transaction. Returns its id; nothing where no mail goes. */
export async function queueLink(
  { outbox }: ShareDesk,
  trx: Transaction<Tables>,
  row: StoredShare,
  link: string,
): Promise<string | undefined> {
  if (row.by_mail === 0 || outbox === undefined) return undefined;
  const mail = linkMail(randomId("m"), mailedShare(row), link);
  await outbox.add(trx, row.id, "link", mail);
  return mail.id;
}

/** Tries to send a mail that was queued, for a while. */
export async function tryAtOnce({ outbox }: ShareDesk, mail: string | undefined): Promise<void> {
  if (mail === undefined || outbox === undefined) return;
  let timer: NodeJS.Timeout | undefined;
  const enough = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, firstTryMs);
  });
  await Promise.race([outbox.deliver(mail), enough]);
  clearTimeout(timer);
}

/** A share as mails speak of it. */
export function mailedShare(row: StoredShare): Parameters<typeof linkMail>[1] {
  return {
    id: row.id,
    recipient: { name: row.recipient_name, email: row.recipient_email },
    organisation: row.organisation,
    access: row.access,
    expiresAt: row.expires_at,
  };
}
