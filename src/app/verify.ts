import { ExhibitError } from "../evidence/errors.ts";
import type { Deps, Failure } from "./deps.ts";

export interface VerifyRequest {
  readonly store?: string;
  readonly exhibit: string;
}

export interface VerifiedFile {
  readonly path: string;
  readonly key: string;
  readonly sizeBytes: number;
  /** What the record says, and what the bytes in the store are now. */
  readonly expected: string;
  readonly found?: string;
  readonly outcome: "matches" | "differs" | "missing" | "unreadable";
}

/** Exit code: 0 when `failed` is empty, else that of its first code. */
export interface VerifyResult {
  readonly id: string;
  readonly case: string;
  readonly reference: string;
  readonly files: readonly VerifiedFile[];
  readonly custodyLines: number;
  readonly failed: readonly Failure[];
}

export type VerifyDeps = Pick<Deps, "connect" | "patience" | "onEvent">;

/**
 * Reads an exhibit again from the store, every byte, and compares with its signed record; checks record, receipt and
 * custody chain, too.
 *
 * @throws ExhibitError `not-found.exhibit`, `usage.ambiguous`, `integrity.signature`
 */
export async function verify(
  deps: VerifyDeps,
  request: VerifyRequest,
  signal: AbortSignal,
): Promise<VerifyResult> {
  const connection = await deps.connect(request.store);
  await connection.close();
  signal.throwIfAborted();
  throw new ExhibitError("unavailable.program", "Not built yet.");
}
