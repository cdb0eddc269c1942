import { sql, type Kysely, type RawBuilder } from "kysely";
import type { OwnCase } from "../../evidence/arrival.ts";
import type { Identity } from "../../evidence/identity.ts";
import type { Clock } from "../../evidence/ports/clock.ts";
import { smokeCase } from "../../evidence/case.ts";
import type { Tables } from "../database/tables.ts";

/**
 * A select of the cases that are somebody's: those that they follow, and those in which they have sent or shared something, less
 * those that they do not want to follow. The one place that knows.
 */
export function ownCases(identity: string): RawBuilder<unknown> {
  return sql`(
    select case_ref from case_follows where identity_id = ${identity} and follows = 1
    union select case_ref from exhibits where submitter = ${identity} and case_ref <> ${smokeCase}
    union select exhibits.case_ref from shares
      join share_exhibits on share_exhibits.share_id = shares.id
      join exhibits on exhibits.id = share_exhibits.exhibit_id
      where shares.created_by = ${identity} and exhibits.case_ref <> ${smokeCase}
    except select case_ref from case_follows where identity_id = ${identity} and follows = 0)`;
}

export async function listOwnCases(
  database: Kysely<Tables>,
  caller: Identity,
): Promise<readonly OwnCase[]> {
  const { rows } = await sql<{ case_ref: string; followed: number }>`
    select own.case_ref, exists (
      select 1 from case_follows
      where identity_id = ${caller.id} and follows = 1 and case_follows.case_ref = own.case_ref
    ) as followed
    from ${ownCases(caller.id)} as own order by own.case_ref`.execute(database);
  return rows.map((row) => ({ case: row.case_ref, followed: Boolean(row.followed) }));
}

export async function setFollowed(
  database: Kysely<Tables>,
  clock: Clock,
  caller: Identity,
  caseRef: string,
  follow: boolean,
): Promise<void> {
  const changed = { follows: follow ? 1 : 0, changed_at: clock.now().toISOString() };
  await database
    .insertInto("case_follows")
    .values({ identity_id: caller.id, case_ref: caseRef, ...changed })
    .onConflict((conflict) => conflict.columns(["identity_id", "case_ref"]).doUpdateSet(changed))
    .execute();
}

/** Up to which arrival the caller has looked. */
export async function seenUpTo(database: Kysely<Tables>, caller: Identity): Promise<number> {
  const row = await database
    .selectFrom("inbox_marks")
    .select("seq")
    .where("identity_id", "=", caller.id)
    .executeTakeFirst();
  return row?.seq ?? 0;
}

/** Puts the mark there, unless it is further on. */
export async function markSeen(
  database: Kysely<Tables>,
  caller: Identity,
  upTo: number,
): Promise<void> {
  await database
    .insertInto("inbox_marks")
    .values({ identity_id: caller.id, seq: upTo })
    .onConflict((conflict) =>
      conflict.column("identity_id").doUpdateSet({ seq: upTo }).where("inbox_marks.seq", "<", upTo),
    )
    .execute();
}
