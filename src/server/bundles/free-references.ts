import { sql, type Kysely } from "kysely";
import type { Identity } from "../../evidence/identity.ts";
import { exhibitPrefix } from "../../evidence/key.ts";
import type { GroupedContent } from "../../evidence/ports/grouped-content.ts";
import type { Tables } from "../database/tables.ts";
import {
  initialsFor,
  lastSerial,
  noneFree,
  referenceTaken,
  type Reservation,
} from "../exhibits/reserve.ts";

/**
 * The references that many reservations are given in one transaction, by the rules for one: what is wanted unless it is taken,
 * else the next serial after the highest. What lies in the content store though the database does not know it is passed over.
 */
export class FreeReferences {
  readonly #content: GroupedContent;
  readonly #signal: AbortSignal;
  /** By folder in the content store: whether something lies there. Grows as more are looked at. */
  readonly #occupied = new Map<string, boolean>();
  /** The highest serial by case and initials, of those that were asked for. */
  readonly #highest = new Map<string, number>();
  readonly #given = new Map<string, Reservation>();

  constructor(content: GroupedContent, signal: AbortSignal) {
    this.#content = content;
    this.#signal = signal;
  }

  /**
   * Looks in the content store, before the transaction, at what will probably be given: a look at a disk must not hold up
   * the database.
   */
  async foresee(
    database: Kysely<Tables>,
    caller: Identity,
    wanted: readonly Reservation[],
  ): Promise<void> {
    const likely = new Set<string>();
    const next = new Map<string, number>();
    for (const one of wanted) {
      if (one.reference !== undefined) {
        likely.add(exhibitPrefix(one.case, one.reference));
        continue;
      }
      const initials = initialsFor(caller, one);
      const name = `${one.case}\n${initials}`;
      const serial = (next.get(name) ?? (await highestSerial(database, one.case, initials))) + 1;
      next.set(name, serial);
      likely.add(exhibitPrefix(one.case, `${initials}/${serial}`));
    }
    await this.#look([...likely]);
  }

  /** Gives one its reference. @throws ExhibitError `conflict.exists` */
  async give(trx: Kysely<Tables>, caller: Identity, wanted: Reservation): Promise<string> {
    const reference =
      wanted.reference === undefined
        ? await this.#allot(trx, wanted.case, initialsFor(caller, wanted))
        : await this.#take(trx, caller, wanted.case, wanted.reference);
    this.#given.set(`${wanted.case}\n${reference}`, wanted);
    const [initials = "", serial = ""] = reference.split("/");
    const name = `${wanted.case}\n${initials}`;
    const highest = this.#highest.get(name);
    if (highest !== undefined) this.#highest.set(name, Math.max(highest, Number(serial)));
    return reference;
  }

  async #take(
    trx: Kysely<Tables>,
    caller: Identity,
    caseRef: string,
    reference: string,
  ): Promise<string> {
    const given = this.#given.get(`${caseRef}\n${reference}`);
    if (given !== undefined) {
      const by = { submitter: caller.id, source_id: given.sourceId };
      throw referenceTaken(caller, caseRef, reference, by);
    }
    const by = await trx
      .selectFrom("exhibits")
      .select(["submitter", "source_id"])
      .where("case_ref", "=", caseRef)
      .where("reference", "=", reference)
      .executeTakeFirst();
    if (by === undefined && !(await this.#isOccupied(caseRef, reference))) return reference;
    throw referenceTaken(caller, caseRef, reference, by);
  }

  async #allot(trx: Kysely<Tables>, caseRef: string, initials: string): Promise<string> {
    const name = `${caseRef}\n${initials}`;
    let serial = this.#highest.get(name);
    if (serial === undefined) {
      serial = await highestSerial(trx, caseRef, initials);
      for (const given of this.#given.keys()) {
        if (given.startsWith(`${name}/`)) serial = Math.max(serial, Number(given.split("/")[1]));
      }
      this.#highest.set(name, serial);
    }
    while (serial < lastSerial) {
      serial += 1;
      const reference = `${initials}/${serial}`;
      if (!(await this.#isOccupied(caseRef, reference))) return reference;
    }
    throw noneFree(initials);
  }

  async #isOccupied(caseRef: string, reference: string): Promise<boolean> {
    const folder = exhibitPrefix(caseRef, reference);
    if (!this.#occupied.has(folder)) await this.#look([folder]);
    return this.#occupied.get(folder) === true;
  }

  async #look(folders: readonly string[]): Promise<void> {
    const found = await this.#content.occupied(folders, this.#signal);
    for (const folder of folders) this.#occupied.set(folder, found.has(folder));
  }
}

async function highestSerial(
  database: Kysely<Tables>,
  caseRef: string,
  initials: string,
): Promise<number> {
  // Of a sub-exhibit (`ABC/7/A`) the digits up to the slash count.
  const { highest } = await database
    .selectFrom("exhibits")
    .select(
      sql<number>`coalesce(max(cast(substr(reference, ${initials.length + 2}) as integer)), 0)`.as(
        "highest",
      ),
    )
    .where("case_ref", "=", caseRef)
    .where("reference", ">=", `${initials}/`)
    .where("reference", "<", `${initials}0`)
    .executeTakeFirstOrThrow();
  return highest;
}
