import { createHash } from "node:crypto";
import { ExhibitError, hasCode } from "../evidence/errors.ts";
import type { Connection } from "../evidence/ports/connection.ts";
import type { ExhibitEntry } from "../evidence/ports/register.ts";
import type { Store } from "../evidence/ports/store.ts";
import type { RecordFile } from "../evidence/record.ts";
import { requireHead } from "./custody-log.ts";
import type { Deps, Failure } from "./deps.ts";
import { failureOf, stopsAll } from "./failure.ts";
import { readContent } from "./read-content.ts";

export interface VerifiedFile {
  readonly path: string;
  readonly key: string;
  readonly sizeBytes: number;
  /** What the record says, and what the bytes in the store are now. */
  readonly expected: string;
  readonly found?: string;
  readonly outcome: "matches" | "differs" | "missing" | "unreadable";
}

/** What was found of one exhibit. */
export interface VerifiedExhibit {
  readonly files: readonly VerifiedFile[];
  readonly custodyLines: number;
  readonly failed: readonly Failure[];
}

type Checking = Pick<Deps, "patience" | "outage" | "onEvent">;

/**
 * Reads every byte of a sealed exhibit again from the store and compares with its signed record; checks the custody chain against
 * the receipt, too. `isLast`: nothing more will be checked behind it.
 *
 * @throws ExhibitError `integrity.signature`, `integrity.mismatch` when record and receipt are not to be trusted;
 * `unavailable.store`; the signal's reason
 */
export async function verifyExhibit(
  deps: Checking,
  { store, register }: Pick<Connection, "store" | "register">,
  entry: ExhibitEntry,
  isLast: boolean,
  signal: AbortSignal,
): Promise<VerifiedExhibit> {
  const { record, receipt } = await register.read(entry, signal);
  const failed: Failure[] = [];
  const check = async (path: string, checking: () => Promise<void> | void): Promise<void> => {
    try {
      await checking();
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof ExhibitError) || stopsAll(error)) throw error;
      failed.push(failureOf(path, error));
    }
  };
  const bytes = record.files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  deps.onEvent({ type: "planned", files: record.files.length, bytes, isComplete: isLast });
  const lines = await register.custody(entry, signal);
  await check("custody log", () => {
    requireHead(lines, receipt.custody, entry.id);
  });
  const files: VerifiedFile[] = [];
  for (const file of record.files) {
    await check(file.path, async () => {
      const { verified, problem } = await verifyFile(deps, store, file, signal);
      files.push(verified);
      if (problem !== undefined) throw problem;
    });
  }
  return { files, custodyLines: lines.length, failed };
}

interface FileCheck {
  readonly verified: VerifiedFile;
  readonly problem: ExhibitError | undefined;
}

async function verifyFile(
  deps: Checking,
  store: Store,
  { path, key, sizeBytes, digest }: RecordFile,
  signal: AbortSignal,
): Promise<FileCheck> {
  const about = { path, key, sizeBytes, expected: digest.sha256 };
  deps.onEvent({ type: "file-started", path, sizeBytes });
  const hash = createHash("sha256");
  let read = 0;
  const onBytes = (bytes: Uint8Array): void => {
    hash.update(bytes);
    read += bytes.length;
    deps.onEvent({ type: "part-done", path, bytes: bytes.length, sent: true });
  };
  try {
    await readContent({ store, key, from: 0, sizeBytes, onBytes }, deps, signal);
  } catch (error) {
    signal.throwIfAborted();
    if (!(error instanceof ExhibitError) || stopsAll(error)) throw error;
    const outcome = hasCode(error, "not-found.content") ? "missing" : "unreadable";
    return { verified: { ...about, outcome }, problem: error };
  }
  const found = hash.digest("hex");
  if (read === sizeBytes && found === digest.sha256) {
    deps.onEvent({ type: "file-done", path, proof: "read-back" });
    return { verified: { ...about, found, outcome: "matches" }, problem: undefined };
  }
  const problem = new ExhibitError(
    "integrity.mismatch",
    `${path} in the store is not what the signed record says.`,
    {
      hint: "Do not rely on the store's copy. Keep everything as it is and tell your administrator.",
      facts: { expected: digest.sha256, found },
    },
  );
  return { verified: { ...about, found, outcome: "differs" }, problem };
}
