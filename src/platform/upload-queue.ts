import { z } from "zod";
import type {
  ExhibitPlan,
  Outcome,
  QueueCounts,
  QueuedPlan,
  SettledPlan,
  UploadQueue,
} from "../evidence/ports/upload-queue.ts";
import type { QueueDatabase } from "./upload-queue-database.ts";

/** Places of one run; those of the next begin behind them. */
const placesOfRun = 2 ** 32;

const planRow = z
  .object({ place: z.number(), plan: z.string(), outcome: z.string().nullable() })
  .transform(({ place, plan, outcome }): QueuedPlan => ({
    place,
    plan: JSON.parse(plan) as ExhibitPlan,
    before: outcome === null ? undefined : (JSON.parse(outcome) as unknown),
  }));
const knownRow = z.object({ place: z.number(), plan: z.string(), was_done: z.number() });
const namesakeRow = z.object({ place: z.number(), name: z.string() });
const outcomeRow = z.object({ place: z.number(), outcome: z.string() });

/** Outcomes that are read at a time. */
const pageOfOutcomes = 500;

/** A queue over its tables. @param onClose - told once, with whether its file is still needed */
export function uploadQueue(
  database: QueueDatabase,
  onClose: (isNeeded: boolean) => void,
): UploadQueue {
  const run = database.newRun();
  const hadRows = !database.isEmpty();
  const first = run * placesOfRun;
  const counted = { exhibits: 0, files: 0, bytes: 0, done: 0, failed: 0, skipped: 0 };
  let last = first;
  let taken = first;
  let isNeeded = true;
  let isOpen = true;

  const insert = (place: number, plan: ExhibitPlan, text: string): void => {
    database.insert([place, nameOf(plan), sourceIdOf(plan), text]);
  };

  /** @returns whether the plan takes this place; "refused" where something else looks like it */
  const addOne = (place: number, plan: ExhibitPlan): boolean | "refused" => {
    const name = nameOf(plan);
    const known = knownRow.optional().parse(database.byName(name));
    if (known !== undefined && known.place > first) return false;
    const other = namesakeRow.optional().parse(database.bySourceId(sourceIdOf(plan)));
    if (other !== undefined && other.name !== name) {
      if (other.place > first) return "refused";
      database.forget(other.place);
    }
    const text = JSON.stringify(plan);
    if (known?.was_done === 1 && known.plan === text) {
      database.move([place, known.place]);
      return true;
    }
    if (known !== undefined) database.forget(known.place);
    insert(place, plan, text);
    return true;
  };

  return {
    add: (plans, mayRepeat) => {
      const refused: ExhibitPlan[] = [];
      const isLookedFor = mayRepeat || hadRows;
      if (isLookedFor) database.index();
      const added: ExhibitPlan[] = [];
      database.atOnce(() => {
        for (const plan of plans) {
          const place = last + added.length + 1;
          const takesPlace = isLookedFor ? addOne(place, plan) : true;
          if (takesPlace === "refused") refused.push(plan);
          if (takesPlace !== true) continue;
          if (!isLookedFor) insert(place, plan, JSON.stringify(plan));
          added.push(plan);
        }
      });
      // Only once all are written: where the disk is full, none is.
      last += added.length;
      counted.exhibits += added.length;
      for (const { files, totalBytes } of added) {
        counted.files += files.length;
        counted.bytes += totalBytes;
      }
      return refused;
    },
    note: ({ state, outcome }) => {
      database.note([state, JSON.stringify(outcome)]);
      counted[state] += 1;
    },
    take: (most) => {
      const plans = z.array(planRow).parse(database.waiting([taken, most]));
      taken = plans.at(-1)?.place ?? taken;
      return plans;
    },
    rewind: () => {
      taken = first;
    },
    settle: (plans) => {
      database.atOnce(() => {
        for (const plan of plans) settleOne(database, plan);
      });
      for (const { state } of plans) counted[state] += 1;
    },
    counts: (): QueueCounts => ({ ...counted }),
    outcomes: (state) => outcomesOf(database, state, first),
    discard: () => {
      isNeeded = false;
    },
    close: () => {
      if (!isOpen) return;
      isOpen = false;
      // Its file may outlive it: Windows removes none that is still held.
      if (!isNeeded) database.forgetAll();
      database.close();
      onClose(isNeeded);
    },
  };
}

function settleOne(database: QueueDatabase, { place, state, outcome }: SettledPlan): void {
  database.settle([state, JSON.stringify(outcome), place]);
}

/** A file is known by its place at the source, several together by their source id. */
function nameOf(plan: ExhibitPlan): string {
  const [only, ...others] = plan.files;
  return only !== undefined && others.length === 0
    ? inItsCase(plan, only.location)
    : sourceIdOf(plan);
}

function sourceIdOf(plan: ExhibitPlan): string {
  return inItsCase(plan, plan.sourceId);
}

/** Where exhibits of one command go to several cases, each may have the same file. */
function inItsCase({ said }: ExhibitPlan, name: string): string {
  return said?.case === undefined ? name : `${said.case}\n${name}`;
}

function* outcomesOf(
  database: QueueDatabase,
  state: Outcome["state"],
  first: number,
): IterableIterator<unknown> {
  const sources = [
    { read: database.outcomes, from: first },
    { read: database.notes, from: 0 },
  ];
  for (const { read, from } of sources) {
    for (let after = from; ;) {
      const rows = z.array(outcomeRow).parse(read([state, after, pageOfOutcomes]));
      for (const { outcome } of rows) yield JSON.parse(outcome) as unknown;
      const end = rows.at(-1);
      if (end === undefined) break;
      after = end.place;
    }
  }
}
