import type { ExhibitEntry } from "../evidence/ports/register.ts";
import type { SkippedEntry } from "../evidence/ports/source.ts";
import type { QueuedPlan } from "../evidence/ports/upload-queue.ts";
import { ExhibitError } from "../evidence/errors.ts";
import { formatAddress } from "../evidence/address.ts";
import { parseKey } from "../evidence/key.ts";
import { randomId } from "../evidence/random-id.ts";
import type { Connection } from "../evidence/ports/connection.ts";
import { choosePartBytes } from "../transfer/part-size.ts";
import { checked } from "./checked.ts";
import { connected } from "./connected.ts";
import { requireReferences } from "./csv/require-references.ts";
import type { Deps, Failure, OutcomeRow } from "./deps.ts";
import type { ExhibitPlan } from "./exhibit-plan.ts";
import { failureOf } from "./failure.ts";
import { Planning } from "./planning.ts";
import { requireReachable } from "./reachable-proof.ts";
import { requireRetainable } from "./retain-exhibit.ts";
import { reservedBefore } from "./reserved-before.ts";
import { severalAtATime } from "./several-at-a-time.ts";
import { outcomesIn, rowOf, type Outcomes } from "./upload-outcome.ts";
import { requestOf, uploadRequestSchema, type UploadRequest } from "./upload-request.ts";

/** What an upload would do with one exhibit. */
export interface Foreseen {
  readonly path: string;
  /** `compare`: it is sealed there already; the upload would read the source again and say whether it is the same. */
  readonly action: "send" | "go-on" | "compare";
  /** Its address, where it has one already. */
  readonly exhibit?: string;
  readonly files: number;
  readonly bytes: number;
  /** Bytes of it that the store holds unfinished. */
  readonly heldBytes: number;
  /** The row of a list that asked for it. */
  readonly row?: OutcomeRow;
}

/**
 * Nothing was sent or reserved. What would be done is read from this machine's disk, and can be until the queues are closed. Exit
 * code as an upload's that fails likewise.
 */
export interface DryRunResult {
  readonly store: string;
  readonly exhibits: Outcomes<Foreseen>;
  readonly failed: Outcomes<Failure>;
  readonly skipped: Outcomes<SkippedEntry>;
  /** Columns of a list that mean nothing to us, where there are any. */
  readonly unusedColumns?: readonly string[];
  /** Bytes that would go over the wire. */
  readonly bytesToSend: number;
}

/** Plans that the store is asked about at once. */
const askedAtOnce = 1000;

/** References that are looked up together. */
const askedTogether = 8;

/**
 * Says what an upload would do, and what would fail, without doing it: lists the files, checks names, sizes, the store's limits
 * and the quota, and asks the store what is there already.
 *
 * @throws ExhibitError as `upload` does before anything is sent
 */
export async function dryRun(
  deps: Pick<Deps, "connect" | "source" | "queues">,
  request: UploadRequest,
  signal: AbortSignal,
): Promise<DryRunResult> {
  const given = checked(uploadRequestSchema, request, "The upload");
  const planning = await Planning.begin(deps, given, signal);
  try {
    return await connected(deps, given.store, async (connection) => {
      requireReachable(given.requireProof, connection);
      requireRetainable(given.retention, connection);
      if (planning.list !== undefined) requireReferences(planning.list, given, connection);
      const queue = deps.queues.open(randomId("dry-run-"));
      queue.discard();
      planning.into({ queue, onOutcome: () => undefined, onEvent: () => undefined });
      const known: Known = {
        holder: await holderOf(connection, given, signal),
        held: await heldByExhibit(connection, signal),
      };
      let bytesToSend = 0;
      let newBytes = 0;
      for (;;) {
        const turn = await planning.next(askedAtOnce);
        if (turn.length === 0) break;
        const seen = await foreseeTurn(turn, { connection, request: given, known }, signal);
        queue.settle(seen);
        for (const { state, outcome } of seen) {
          if (state === "failed") continue;
          const { action, bytes, heldBytes } = outcome;
          if (action === "send") newBytes += bytes;
          if (action !== "compare") bytesToSend += bytes - heldBytes;
        }
      }
      await requireQuota(connection, newBytes, signal);
      const unusedColumns = planning.list?.unused ?? [];
      return {
        store: connection.name,
        exhibits: outcomesIn(queue, "done", (outcome) => outcome as Foreseen),
        failed: outcomesIn(queue, "failed", (outcome) => outcome as Failure),
        skipped: outcomesIn(queue, "skipped", (outcome) => outcome as SkippedEntry),
        ...(unusedColumns.length === 0 ? {} : { unusedColumns }),
        bytesToSend,
      };
    });
  } finally {
    planning.stop();
  }
}

/** What was asked of the store before the first plan. */
interface Known {
  /** Who has the reference that is wanted. */
  readonly holder: ExhibitEntry | undefined;
  /** Bytes of unfinished uploads, by the address of their exhibit. */
  readonly held: ReadonlyMap<string, number>;
}

type Seen =
  | { readonly place: number; readonly state: "done"; readonly outcome: Foreseen }
  | { readonly place: number; readonly state: "failed"; readonly outcome: Failure };

async function foreseeTurn(
  turn: readonly QueuedPlan[],
  asked: { connection: Connection; request: UploadRequest; known: Known },
  signal: AbortSignal,
): Promise<Seen[]> {
  const { connection, request, known } = asked;
  const { register, store } = connection;
  const entries = await reservedBefore(register, request, turn, signal);
  return severalAtATime(turn, askedTogether, signal, async ({ place, plan }): Promise<Seen> => {
    try {
      for (const { sizeBytes } of plan.files) {
        choosePartBytes(sizeBytes, request.partBytes, store.capabilities);
      }
      const entry = entries.get(place);
      const holder =
        plan.said?.reference === undefined
          ? known.holder
          : await holderOf(connection, requestOf(request, plan), signal);
      const { held } = known;
      if (holder !== undefined && holder.id !== entry?.id) requireSealed(holder);
      return { place, state: "done", outcome: foresee(plan, entry ?? holder, held) };
    } catch (error) {
      if (!(error instanceof ExhibitError)) throw error;
      return {
        place,
        state: "failed",
        outcome: { ...failureOf(plan.path, error), ...rowOf(plan) },
      };
    }
  });
}

function foresee(
  plan: ExhibitPlan,
  entry: ExhibitEntry | undefined,
  held: ReadonlyMap<string, number>,
): Foreseen {
  const { path, files, totalBytes } = plan;
  const about = { path, files: files.length, bytes: totalBytes, ...rowOf(plan) };
  if (entry === undefined) return { ...about, action: "send", heldBytes: 0 };
  const exhibit = formatAddress(entry);
  if (entry.state === "sealed") return { ...about, action: "compare", exhibit, heldBytes: 0 };
  return { ...about, action: "go-on", exhibit, heldBytes: held.get(exhibit) ?? 0 };
}

/** Who has the reference that is wanted for this one exhibit. */
async function holderOf(
  { register }: Connection,
  { case: caseRef, reference }: UploadRequest,
  signal: AbortSignal,
): Promise<ExhibitEntry | undefined> {
  if (reference === undefined || caseRef === undefined) return undefined;
  const [holder] = await register.find({ kind: "reference", case: caseRef, reference }, signal);
  return holder;
}

/** A sealed exhibit may be this very one; one that is on its way is another's. @throws ExhibitError `conflict.exists` */
function requireSealed(holder: ExhibitEntry): void {
  if (holder.state === "sealed") return;
  throw new ExhibitError("conflict.exists", `${formatAddress(holder)} is taken.`, {
    hint: "Choose another reference, or leave it out to be given the next free one.",
  });
}

/** Bytes of unfinished uploads, by the address of their exhibit. */
async function heldByExhibit(
  { store }: Connection,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, number>> {
  const held = new Map<string, number>();
  for (const { key, receivedBytes } of await store.uploads(signal)) {
    const parts = parseKey(key);
    if (parts === undefined) continue;
    const exhibit = formatAddress(parts);
    held.set(exhibit, (held.get(exhibit) ?? 0) + receivedBytes);
  }
  return held;
}

/** What is new must fit into what is left; the rest is charged already. @throws ExhibitError `policy.quota` */
async function requireQuota(
  { accounts }: Connection,
  newBytes: number,
  signal: AbortSignal,
): Promise<void> {
  if (accounts === undefined) return;
  const { quotaBytes, usedBytes } = await accounts.me(signal);
  if (quotaBytes === undefined) return;
  const leftBytes = Math.max(0, quotaBytes - usedBytes);
  if (newBytes <= leftBytes) return;
  throw new ExhibitError("policy.quota", "This is more than your quota at the store has left.", {
    hint: "Nothing was sent. Ask the store's administrator for more, or send less.",
    facts: { newBytes, leftBytes },
  });
}
