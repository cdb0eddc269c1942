import { setImmediate as nextTurn } from "node:timers/promises";
import { ExhibitError } from "../../evidence/errors.ts";
import type { Identity } from "../../evidence/identity.ts";
import type { GroupedContent } from "../../evidence/ports/grouped-content.ts";
import { signingKeysOf } from "../accounts/identity-keys.ts";
import { reserveFor, unreserve } from "../content/reservation.ts";
import type { ExhibitRow } from "../database/exhibit-tables.ts";
import type { ServerDeps } from "../deps.ts";
import { unknownExhibit } from "../exhibits/visible-exhibits.ts";
import { checkMember, type Provable } from "./check-member.ts";
import { finishAll } from "./finish-all.ts";
import { knownExhibits, nameOf, type KnownExhibit } from "./known-exhibits.ts";
import { orRefused } from "./or-refused.ts";
import type { Member } from "./read-bundle.ts";
import { settleAll } from "./settle-all.ts";

type SealDeps = Pick<ServerDeps, "database" | "clock" | "key" | "settings" | "content">;

/** How many exhibits are checked before other requests have their turn: signatures keep the processor busy. */
const inOneTurn = 16;

/**
 * Takes in the exhibits of a bundle: proves each by itself, stores all their files together, settles them in one transaction,
 * then writes all their documents together. What the database says is durable in the content store before it says so, so
 * that after a crash anywhere in between the same bundle, or each exhibit sent by itself, goes on from there.
 *
 * @returns an answer for each, in order: sealed, or why not
 * @throws what concerns all of them
 */
export async function sealBundle(
  deps: SealDeps,
  content: GroupedContent,
  caller: Identity,
  bundle: readonly (Member | ExhibitError)[],
): Promise<readonly (ExhibitRow | ExhibitError)[]> {
  // Not to be stopped any more: the client may never learn what was sealed.
  const { signal } = new AbortController();
  const answers = new Map<Member, ExhibitRow | ExhibitError>();
  const provables = await checked(deps, caller, bundle, answers);
  const charged = await chargeMissing(deps, provables, answers);
  try {
    const paid = provables.filter(({ member }) => !answers.has(member));
    const proved = await store(content, paid, answers, signal);
    const settled = await settleAll(deps, caller, proved);
    for (const [index, { member }] of proved.entries()) {
      answers.set(member, settled[index] ?? unknownExhibit());
    }
  } finally {
    await giveBack(deps, charged, answers);
  }
  const settled = [...answers].flatMap(([member, row]) =>
    row instanceof ExhibitError ? [] : [{ member, row }],
  );
  const rows = settled.map(({ row }) => row);
  const finished = await finishAll(deps, content, rows, signal);
  for (const [index, { member }] of settled.entries()) {
    answers.set(member, finished[index] ?? unknownExhibit());
  }
  return bundle.map((one) =>
    one instanceof ExhibitError ? one : (answers.get(one) ?? unknownExhibit()),
  );
}

/** Those that are to be sealed; what becomes of the others stands in `answers` already. */
async function checked(
  { database }: SealDeps,
  caller: Identity,
  bundle: readonly (Member | ExhibitError)[],
  answers: Map<Member, ExhibitRow | ExhibitError>,
): Promise<readonly Provable[]> {
  const members = bundle.flatMap((one) => (one instanceof ExhibitError ? [] : [one]));
  const keys = await signingKeysOf(database, caller.id);
  const known = await knownExhibits(database, caller, members);
  const provables: Provable[] = [];
  for (const [index, member] of members.entries()) {
    if (index % inOneTurn === 0) await nextTurn();
    const found: Provable | KnownExhibit | ExhibitError = await orRefused(() =>
      checkMember(member, known.get(nameOf(member)), keys),
    );
    if (found instanceof ExhibitError) answers.set(member, found);
    else if ("member" in found) provables.push(found);
    else answers.set(member, found.row);
  }
  return provables;
}

/** Charges what exhibits need beyond what was reserved for them, before anything is stored. */
async function chargeMissing(
  { database }: SealDeps,
  provables: readonly Provable[],
  answers: Map<Member, ExhibitRow | ExhibitError>,
): Promise<ReadonlyMap<Provable, number>> {
  const charged = new Map<Provable, number>();
  for (const provable of provables) {
    const { exhibit, member } = provable;
    const { row, stored, uploads } = exhibit;
    const sizeBytes = member.bytes.byteLength;
    const isAlone = stored.length === 0 && uploads.length === 0;
    if (provable.before !== undefined || (isAlone && sizeBytes <= row.total_bytes)) continue;
    const bytes = await orRefused(() =>
      database.transaction().execute((trx) => reserveFor(trx, row.id, member.key, sizeBytes)),
    );
    if (bytes instanceof ExhibitError) answers.set(member, bytes);
    else charged.set(provable, bytes);
  }
  return charged;
}

async function giveBack(
  { database }: SealDeps,
  charged: ReadonlyMap<Provable, number>,
  answers: ReadonlyMap<Member, ExhibitRow | ExhibitError>,
): Promise<void> {
  for (const [{ exhibit, member }, bytes] of charged) {
    const answer = answers.get(member);
    if (answer !== undefined && !(answer instanceof ExhibitError)) continue;
    await database.transaction().execute((trx) => unreserve(trx, exhibit.row.id, bytes));
  }
}

/** Those whose files are durable now. */
async function store(
  content: GroupedContent,
  provables: readonly Provable[],
  answers: Map<Member, ExhibitRow | ExhibitError>,
  signal: AbortSignal,
): Promise<readonly Provable[]> {
  const missing = provables.filter(({ before }) => before === undefined);
  if (missing.length > 0) {
    const files = missing.map(({ member, sha256 }) => ({
      key: member.key,
      bytes: member.bytes,
      sha256,
    }));
    const stored = await content.putAll(files, signal);
    for (const [index, { member }] of missing.entries()) {
      const found = stored[index];
      if (found instanceof ExhibitError) answers.set(member, found);
    }
  }
  return provables.filter(({ member }) => !answers.has(member));
}
