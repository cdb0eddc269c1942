import { caseSchema } from "../evidence/case.ts";
import { formatAddress } from "../evidence/address.ts";
import { ExhibitError } from "../evidence/errors.ts";
import type { Connection } from "../evidence/ports/connection.ts";
import type { ExhibitEntry } from "../evidence/ports/register.ts";
import { isInSample, type Sample } from "../evidence/sample.ts";
import { checked } from "./checked.ts";
import { connected } from "./connected.ts";
import type { Deps, Failure } from "./deps.ts";
import { failureOf, stopsAll } from "./failure.ts";
import { verifyExhibit } from "./verify-exhibit.ts";

export interface VerifySampleRequest {
  readonly store?: string;
  /** One case; left out, all that the caller may see. */
  readonly case?: string;
  readonly sample: Sample;
}

/** What was found of one exhibit of the sample. */
export interface SampledExhibit {
  readonly id: string;
  readonly case: string;
  readonly reference: string;
  readonly files: number;
  readonly bytes: number;
  readonly checkedAt: string;
  /** Empty when the store holds what the signed record says. */
  readonly failed: readonly Failure[];
}

export interface VerifySampleResult extends Sample {
  /** Sealed exhibits that there are, and how many of them are in the sample. */
  readonly exhibits: number;
  readonly chosen: number;
  /** Checked by the run that this one went on with, and by this one. */
  readonly before: number;
  readonly checked: number;
  /** Of both: those that are not what they were, and all bytes. */
  readonly bad: number;
  readonly bytes: number;
  readonly failed: readonly Failure[];
}

export interface SampleProgress {
  /** What an earlier run found, by the exhibits' ids: they are not read again. */
  readonly found: ReadonlyMap<string, SampledExhibit>;
  /** Told of each exhibit when it is checked. @throws what stops the run */
  readonly onChecked: (exhibit: SampledExhibit) => void;
}

/**
 * Reads a sample of the sealed exhibits of a case or a store again, every byte, and compares with their signed records. One that is
 * not what it was stops none of the others.
 *
 * @throws ExhibitError `not-found.exhibit` where the case holds none; `unavailable.store`, `auth.*`: what was checked was told; the signal's reason
 */
export async function verifySample(
  deps: Pick<Deps, "connect" | "patience" | "outage" | "onEvent" | "clock">,
  request: VerifySampleRequest,
  { found, onChecked }: SampleProgress,
  signal: AbortSignal,
): Promise<VerifySampleResult> {
  const caseRef =
    request.case === undefined ? undefined : checked(caseSchema, request.case, "The case");
  const counts = { exhibits: 0, chosen: 0, before: 0, checked: 0, bad: 0, bytes: 0 };
  const failed: Failure[] = [];
  return connected(deps, request.store, async (connection) => {
    for await (const entry of connection.register.list(caseRef, signal)) {
      if (entry.state !== "sealed") continue;
      counts.exhibits += 1;
      if (!isInSample(request.sample, entry.id)) continue;
      counts.chosen += 1;
      const before = found.get(entry.id);
      const one = before ?? (await checkOne(deps, connection, entry, signal));
      if (before === undefined) onChecked(one);
      counts[before === undefined ? "checked" : "before"] += 1;
      counts.bytes += one.bytes;
      failed.push(...one.failed);
      if (one.failed.length > 0) counts.bad += 1;
    }
    if (counts.exhibits === 0 && caseRef !== undefined) throw nothingIn(caseRef);
    return { ...request.sample, ...counts, failed };
  });
}

/** A case that was mistyped must not look like one that was checked. */
function nothingIn(caseRef: string): ExhibitError {
  return new ExhibitError(
    "not-found.exhibit",
    `There is no finished exhibit in the case ${caseRef} that you may see, so nothing was checked.`,
    { hint: "Check the case: exhibit list shows all that you may see." },
  );
}

async function checkOne(
  deps: Pick<Deps, "patience" | "outage" | "onEvent" | "clock">,
  connection: Connection,
  entry: ExhibitEntry,
  signal: AbortSignal,
): Promise<SampledExhibit> {
  const { id, case: caseRef, reference } = entry;
  const address = formatAddress(entry);
  const about = { id, case: caseRef, reference };
  const checkedAt = deps.clock.now().toISOString();
  try {
    const { files, failed } = await verifyExhibit(
      deps,
      connection,
      entry,
      { deep: true, isLast: false },
      signal,
    );
    return {
      ...about,
      files: files.length,
      bytes: files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
      checkedAt,
      failed: failed.map((failure) => ({ ...failure, path: `${address} ${failure.path}` })),
    };
  } catch (error) {
    signal.throwIfAborted();
    if (!(error instanceof ExhibitError) || stopsAll(error)) throw error;
    return { ...about, files: 0, bytes: 0, checkedAt, failed: [failureOf(address, error)] };
  }
}
