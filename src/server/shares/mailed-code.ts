import { randomId } from "../../evidence/random-id.ts";
import { newCode } from "../../evidence/share-secrets.ts";
import { dropMails } from "../mail/outbox.ts";
import { codeLifeMs } from "../mail/retries.ts";
import { codeMail } from "../mail/share-mails.ts";
import { mailedShare } from "./hand-over.ts";
import type { ShareDesk } from "./share-desk.ts";
import { endOf, type StoredShare } from "./share-rows.ts";
import { digestCode, type CodeDigest } from "./share-secrets.ts";

/**
 * Makes a fresh code for a share whose codes go by mail, and mails it. The one before is worth nothing from then on. Does
 * nothing for a share that has ended, or whose code is handed over by hand.
 */
export async function mailCode({ deps, outbox }: ShareDesk, share: StoredShare): Promise<void> {
  const { database, clock } = deps;
  const now = clock.now();
  if (outbox === undefined || share.by_mail === 0 || endOf(share, now) !== undefined) return;
  const code = newCode();
  const { salt, scrypt } = await digestCode(code);
  const mail = codeMail(randomId("m"), mailedShare(share), code, codeLifeMs / 60_000);
  await database.transaction().execute(async (trx) => {
    const { numUpdatedRows } = await trx
      .updateTable("shares")
      .set({
        mailed_code_salt: salt,
        mailed_code_scrypt: scrypt,
        mailed_code_until: new Date(now.getTime() + codeLifeMs).toISOString(),
      })
      .where("id", "=", share.id)
      // Renewed meanwhile: this link asks for nothing any more.
      .where("token_sha256", "=", share.token_sha256)
      .executeTakeFirst();
    if (numUpdatedRows === 0n) return;
    await dropMails(trx, share.id, ["code"]);
    await outbox.add(trx, share.id, "code", mail);
  });
  void outbox.deliver(mail.id);
}

/** What a code for this share must fit right now: the newest that was mailed, or the one that was handed over. */
export function expectedCode(share: StoredShare, now: Date): CodeDigest | undefined {
  if (share.by_mail === 0) return { salt: share.code_salt, scrypt: share.code_scrypt };
  const { mailed_code_salt: salt, mailed_code_scrypt: scrypt, mailed_code_until: until } = share;
  const isGood = until !== null && until > now.toISOString();
  return isGood && salt !== null && scrypt !== null ? { salt, scrypt } : undefined;
}

/** Uses a mailed code up. False when somebody else just did, or a newer one was sent. */
export async function useCode(
  { deps: { database } }: ShareDesk,
  share: StoredShare,
): Promise<boolean> {
  const { numUpdatedRows } = await database
    .updateTable("shares")
    .set({ mailed_code_salt: null, mailed_code_scrypt: null, mailed_code_until: null })
    .where("id", "=", share.id)
    .where("token_sha256", "=", share.token_sha256)
    .where("mailed_code_scrypt", "is", share.mailed_code_scrypt)
    .executeTakeFirst();
  return numUpdatedRows > 0n;
}
