import type { ExhibitEntry } from "../evidence/ports/register.ts";
import type { SkippedEntry } from "../evidence/ports/source.ts";
import { ExhibitError } from "../evidence/errors.ts";
import { formatAddress } from "../evidence/address.ts";
import { parseKey } from "../evidence/key.ts";
import type { Connection } from "../evidence/ports/connection.ts";
import { choosePartBytes } from "../transfer/part-size.ts";
import { checked } from "./checked.ts";
import { connected } from "./connected.ts";
import type { Deps, Failure } from "./deps.ts";
import { planExhibits, type ExhibitPlan } from "./exhibit-plan.ts";
import { requireReachable } from "./reachable-proof.ts";
import { failureOf } from "./failure.ts";
import { uploadRequestSchema, type UploadRequest } from "./upload-request.ts";

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
}

/** Nothing was sent, reserved or written. Exit code as an upload's that fails likewise. */
export interface DryRunResult {
  readonly store: string;
  readonly exhibits: readonly Foreseen[];
  readonly failed: readonly Failure[];
  readonly skipped: readonly SkippedEntry[];
  /** Bytes that would go over the wire. */
  readonly bytesToSend: number;
}

/**
 * Says what an upload would do, and what would fail, without doing it: lists the files, checks names, sizes, the store's limits
 * and the quota, and asks the store what is there already.
 *
 * @throws ExhibitError as `upload` does before anything is sent
 */
export async function dryRun(
  deps: Pick<Deps, "connect" | "source">,
  request: UploadRequest,
  signal: AbortSignal,
): Promise<DryRunResult> {
  const given = checked(uploadRequestSchema, request, "The upload");
  const planned = await planExhibits(deps.source, given, signal);
  return connected(deps, given.store, async (connection) => {
    const { name, register, store } = connection;
    const sourceIds = planned.exhibits.map(({ sourceId }) => sourceId);
    const known = await register.lookup(given.case, sourceIds, signal);
    requireReachable(given.requireProof, connection);
    const holder = await holderOf(connection, given, signal);
    const held = await heldByExhibit(connection, signal);
    const exhibits: Foreseen[] = [];
    const failed: Failure[] = [...planned.failed];
    for (const plan of planned.exhibits) {
      try {
        for (const file of plan.files) {
          choosePartBytes(file.sizeBytes, given.partBytes, store.capabilities);
        }
        const entry = known.get(plan.sourceId);
        if (holder !== undefined && holder.id !== entry?.id) requireSealed(holder);
        exhibits.push(foresee(plan, entry ?? holder, held));
      } catch (error) {
        if (!(error instanceof ExhibitError)) throw error;
        failed.push(failureOf(plan.path, error));
      }
    }
    const bytesToSend = exhibits
      .filter(({ action }) => action !== "compare")
      .reduce((sum, { bytes, heldBytes }) => sum + bytes - heldBytes, 0);
    await requireQuota(connection, exhibits, signal);
    return { store: name, exhibits, failed, skipped: planned.skipped, bytesToSend };
  });
}

function foresee(
  plan: ExhibitPlan,
  entry: ExhibitEntry | undefined,
  held: ReadonlyMap<string, number>,
): Foreseen {
  const { path, files, totalBytes } = plan;
  const about = { path, files: files.length, bytes: totalBytes };
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
  if (reference === undefined) return undefined;
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
  exhibits: readonly Foreseen[],
  signal: AbortSignal,
): Promise<void> {
  if (accounts === undefined) return;
  const { quotaBytes, usedBytes } = await accounts.me(signal);
  if (quotaBytes === undefined) return;
  const newBytes = exhibits
    .filter(({ action }) => action === "send")
    .reduce((sum, { bytes }) => sum + bytes, 0);
  const leftBytes = Math.max(0, quotaBytes - usedBytes);
  if (newBytes <= leftBytes) return;
  throw new ExhibitError("policy.quota", "This is more than your quota at the store has left.", {
    hint: "Nothing was sent. Ask the store's administrator for more, or send less.",
    facts: { newBytes, leftBytes },
  });
}
