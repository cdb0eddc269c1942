import type { Kysely, Selectable, Transaction } from "kysely";
import type { Clock } from "../../evidence/ports/clock.ts";
import type { Mail, MailFate, OutgoingMail } from "../../evidence/ports/mail.ts";
import type { SigningKey } from "../../evidence/seal.ts";
import type { ShareAccessEvent } from "../../evidence/share.ts";
import type { ShareMailRow } from "../database/share-tables.ts";
import type { Tables } from "../database/tables.ts";
import { writeAccess } from "../shares/access-log.ts";
import { endOf } from "../shares/share-rows.ts";
import { giveUpAt, pauseMs } from "./retries.ts";
import { openMail, sealMail } from "./sealed-mail.ts";

type Kind = ShareMailRow["kind"];
type Row = Selectable<ShareMailRow>;

/** What came of a try: the row's new state, and what the share's log says. */
interface Outcome {
  readonly state: Row["state"];
  readonly reply: string | null;
  readonly event: ShareAccessEvent["kind"] | undefined;
}

const events = {
  link: { sent: "mail-sent", later: "mail-delayed", refused: "mail-refused" },
  code: { sent: "code-sent", later: "code-delayed", refused: "code-refused" },
} as const satisfies Record<Kind, Record<MailFate["state"], ShareAccessEvent["kind"]>>;

/** One mail server is asked for so many at once. */
const atOnce = 4;
const lookEveryMs = 1000;
/** What a mail that is being sent may still take once the server stops. */
const closeLimitMs = 5000;

export interface OutboxDeps {
  readonly database: Kysely<Tables>;
  readonly clock: Clock;
  readonly key: SigningKey;
  readonly mail: Mail;
}

/**
 * The queue of mails, in the database, so that a restart loses none: each is tried until the mail server takes it or
 * refuses it for good, or its time is over. A crash between the server's yes and our writing it down sends it twice, under
 * one Message-ID.
 */
export class Outbox {
  readonly #deps: OutboxDeps;
  readonly #onFailure: (error: unknown) => void;
  readonly #underWay = new Map<string, Promise<void>>();
  readonly #closing = new AbortController();
  readonly #timer: NodeJS.Timeout;
  #looking: Promise<void> | undefined;
  #isClosed = false;

  constructor(deps: OutboxDeps, onFailure: (error: unknown) => void) {
    this.#deps = deps;
    this.#onFailure = onFailure;
    this.#timer = setInterval(() => {
      this.#looking ??= this.#look()
        .catch(onFailure)
        .finally(() => {
          this.#looking = undefined;
        });
    }, lookEveryMs).unref();
  }

  /** Puts a mail into the queue in the caller's transaction. It is due at once. */
  async add(
    trx: Transaction<Tables>,
    share: string,
    kind: Kind,
    mail: OutgoingMail,
  ): Promise<void> {
    const now = this.#deps.clock.now();
    const at = now.toISOString();
    await trx
      .insertInto("share_mails")
      .values({
        id: mail.id,
        share_id: share,
        kind,
        state: "waiting",
        sealed: sealMail(mail, this.#deps.key),
        reply: null,
        tries: 0,
        made_at: at,
        next_at: at,
        give_up_at: giveUpAt(kind, now).toISOString(),
        tried_at: null,
      })
      .execute();
  }

  /** Tries a mail now. Resolves when that try is over, however it ended. */
  deliver(id: string): Promise<void> {
    const known = this.#underWay.get(id);
    if (known !== undefined) return known;
    const trying = this.#try(id)
      .catch(this.#onFailure)
      .finally(() => this.#underWay.delete(id));
    this.#underWay.set(id, trying);
    return trying;
  }

  /** Waits a moment for what is being sent, and breaks the rest off: it stays in the queue. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    this.#isClosed = true;
    // Whoever looked just now begins nothing more: it would be sent, and nothing could be written down.
    await this.#looking;
    const limit = setTimeout(() => {
      this.#closing.abort(new Error("The server is stopping."));
    }, closeLimitMs);
    await Promise.all(this.#underWay.values());
    clearTimeout(limit);
  }

  async #look(): Promise<void> {
    const free = atOnce - this.#underWay.size;
    if (free <= 0) return;
    const due = await this.#deps.database
      .selectFrom("share_mails")
      .select("id")
      .where("state", "=", "waiting")
      .where("next_at", "<=", this.#deps.clock.now().toISOString())
      .where("id", "not in", [...this.#underWay.keys()])
      .orderBy("kind")
      .orderBy("next_at")
      .limit(free)
      .execute();
    if (this.#isClosed) return;
    for (const { id } of due) void this.deliver(id);
  }

  async #try(id: string): Promise<void> {
    const { database, clock } = this.#deps;
    const row = await database
      .selectFrom("share_mails")
      .innerJoin("shares", "shares.id", "share_mails.share_id")
      .selectAll("share_mails")
      .select(["shares.revoked_at", "shares.expires_at"])
      .where("share_mails.id", "=", id)
      .where("state", "=", "waiting")
      .executeTakeFirst();
    if (row === undefined) return;
    const ended = endOf(row, clock.now()) !== undefined;
    const isLate = row.give_up_at <= clock.now().toISOString();
    const fate = ended ? undefined : isLate ? tooLate(row) : await this.#send(row);
    const tries = row.tries + 1;
    const now = clock.now();
    const nextAt = new Date(now.getTime() + pauseMs(row.kind, tries)).toISOString();
    const { state, reply, event } =
      fate === undefined
        ? { state: "dropped" as const, reply: null, event: undefined }
        : outcomeOf(row, fate, nextAt);
    await database.transaction().execute(async (trx) => {
      const { numUpdatedRows } = await trx
        .updateTable("share_mails")
        .set({ state, reply, tries, tried_at: now.toISOString(), next_at: nextAt })
        .$if(state !== "waiting", (query) => query.set({ sealed: null }))
        .where("id", "=", id)
        .where("state", "=", "waiting")
        .executeTakeFirst();
      // Dropped meanwhile, and sent all the same: the log says that it went out.
      if (event === undefined || (numUpdatedRows === 0n && state !== "sent")) return;
      const from = { address: "", agent: "" };
      const detail = reply === null ? {} : { detail: reply };
      await writeAccess(trx, clock, { share: row.share_id, kind: event, from, ...detail });
    });
  }

  async #send(row: Row): Promise<MailFate> {
    const mail = openMail(row.sealed ?? "", row.id, this.#deps.key);
    if (mail === undefined) {
      return { state: "refused", reply: "it was queued under another key of this server" };
    }
    return this.#deps.mail.send(mail, this.#closing.signal);
  }
}

/** Its time was over before it could be sent: the server did not run, or was restored from a backup. */
function tooLate({ reply }: Row): MailFate {
  return { state: "refused", reply: `given up: ${reply ?? "this server did not run in time"}` };
}

function outcomeOf(row: Row, fate: MailFate, nextAt: string): Outcome {
  const event = events[row.kind];
  if (fate.state === "sent") return { state: "sent", reply: null, event: event.sent };
  if (fate.state === "refused") {
    return { state: "refused", reply: fate.reply, event: event.refused };
  }
  if (nextAt >= row.give_up_at) {
    return { state: "refused", reply: `given up: ${fate.reply}`, event: event.refused };
  }
  // Of one delay the log tells once, however many tries it takes.
  const told = row.tries > 0 && row.reply === fate.reply;
  return { state: "waiting", reply: fate.reply, event: told ? undefined : event.later };
}

/** Takes a share's mails out of the queue, in the caller's transaction: what they bring is no longer good. */
export async function dropMails(
  trx: Transaction<Tables>,
  share: string,
  kinds: readonly Kind[],
): Promise<void> {
  await trx
    .updateTable("share_mails")
    .set({ state: "dropped", sealed: null })
    .where("share_id", "=", share)
    .where("kind", "in", kinds)
    .where("state", "=", "waiting")
    .execute();
}
