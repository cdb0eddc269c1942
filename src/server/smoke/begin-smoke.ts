import { smokeCase } from "../../evidence/case.ts";
import { ExhibitError } from "../../evidence/errors.ts";
import type { Identity } from "../../evidence/identity.ts";
import { chargeQuota } from "../accounts/quota.ts";
import type { ExhibitRow } from "../database/exhibit-tables.ts";
import type { ServerDeps } from "../deps.ts";
import { newExhibit } from "../exhibits/reserve.ts";

/** As many as one identity may have begun and not erased: a script that dies each time must not fill the disk in a day. */
const mostOpen = 50;

/**
 * Makes an exhibit of synthetic material: in the case that no evidence can be in, and marked in the database.
 *
 * @throws ExhibitError `policy.quota`, `unavailable.rate-limited`
 */
export async function beginSmoke(
  { database, clock }: Pick<ServerDeps, "database" | "clock">,
  caller: Identity,
  totalBytes: number,
): Promise<ExhibitRow> {
  return database.transaction().execute(async (trx) => {
    const { open } = await trx
      .selectFrom("smokes")
      .select((is) => is.fn.countAll<number>().as("open"))
      .where("started_by", "=", caller.id)
      .where("erased_at", "is", null)
      .executeTakeFirstOrThrow();
    if (open >= mostOpen) throw tooMany();
    const { serial } = await trx
      .insertInto("smokes")
      .values({
        exhibit_id: null,
        started_by: caller.id,
        started_at: clock.now().toISOString(),
        erased_at: null,
        erased_by: null,
      })
      .returning("serial")
      .executeTakeFirstOrThrow();
    const reference = referenceOf(serial);
    await chargeQuota(trx, caller.id, totalBytes);
    const wanted = { case: smokeCase, sourceId: reference, totalBytes };
    const { row, events } = newExhibit(clock, caller, wanted, reference);
    await trx.insertInto("exhibits").values(row).execute();
    await trx.insertInto("custody_events").values(events).execute();
    await trx
      .updateTable("smokes")
      .set({ exhibit_id: row.id })
      .where("serial", "=", serial)
      .execute();
    return row;
  });
}

/** A serial in a reference has six digits at most. */
function referenceOf(serial: number): string {
  return `SMOKE/${Math.floor(serial / 1_000_000) + 1}/${serial % 1_000_000}`;
}

function tooMany(): ExhibitError {
  return new ExhibitError(
    "unavailable.rate-limited",
    `You have begun ${mostOpen} smokes that were never erased.`,
    { hint: "The server erases each after a day. Find out why exhibit smoke ends too early." },
  );
}
