import { createHash } from "node:crypto";
import { ExhibitError, hasCode } from "../evidence/errors.ts";
import type { Connection } from "../evidence/ports/connection.ts";
import type { Kept } from "../evidence/kept.ts";
import type { ExhibitEntry } from "../evidence/ports/register.ts";
import type { Store } from "../evidence/ports/store.ts";
import type { Receipt } from "../evidence/receipt.ts";
import type { RecordFile } from "../evidence/record.ts";
import { requireHead } from "./custody-log.ts";
import { compareKept } from "./compare-kept.ts";
import type { Deps, Failure } from "./deps.ts";
import { failureOf, stopsAll } from "./failure.ts";
import { readContent } from "./read-content.ts";

export interface VerifiedFile {
  readonly path: string;
  readonly key: string;
  readonly sizeBytes: number;
  /** What the record says, and what the bytes in the store are now, where they were read. */
  readonly expected: string;
  readonly found?: string;
  readonly outcome: "matches" | "differs" | "missing" | "unreadable";
  /** `re-read`: every byte. `store-digest`: what the store itself says of it beside what the receipt says; no byte was read. */
  readonly checkedBy: "re-read" | "store-digest";
}

/** What was found of one exhibit. */
export interface VerifiedExhibit {
  readonly files: readonly VerifiedFile[];
  readonly custodyLines: number;
  readonly failed: readonly Failure[];
}

type Checking = Pick<Deps, "patience" | "outage" | "onEvent">;

export interface HowToVerify {
  /** Reads every byte, also where the store keeps a digest that could be compared. */
  readonly deep: boolean;
  /** Nothing more will be checked behind it. */
  readonly isLast: boolean;
}

/**
 * Compares a sealed exhibit in the store with its signed record: what its receipt gives a digest of the store's own for by that, all
 * else, or with `deep` everything, by reading every byte again; checks the custody chain against the receipt, too.
 *
 * @throws ExhibitError `integrity.signature`, `integrity.mismatch` when record and receipt are not to be trusted;
 * `unavailable.store`; the signal's reason
 */
export async function verifyExhibit(
  deps: Checking,
  { store, register }: Pick<Connection, "store" | "register">,
  entry: ExhibitEntry,
  { deep, isLast }: HowToVerify,
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
  const vouched = new Map(receipt.files.map((file) => [file.key, file]));
  const files: VerifiedFile[] = [];
  for (const file of record.files) {
    await check(file.path, async () => {
      const { verified, problem } = await verifyFile(
        deps,
        store,
        file,
        deep ? undefined : vouched.get(file.key),
        signal,
      );
      files.push(verified);
      if (problem !== undefined) throw problem;
    });
  }
  return { files, custodyLines: lines.length, failed };
}

type Vouched = Receipt["files"][number];

interface FileCheck {
  readonly verified: VerifiedFile;
  readonly problem: ExhibitError | undefined;
}

async function verifyFile(
  deps: Checking,
  store: Store,
  file: RecordFile,
  vouched: Vouched | undefined,
  signal: AbortSignal,
): Promise<FileCheck> {
  const { path, sizeBytes } = file;
  deps.onEvent({ type: "file-started", path, sizeBytes });
  const told =
    vouched?.kept === undefined
      ? undefined
      : await verifyByStore(deps, store, file, { ...vouched, kept: vouched.kept }, signal);
  return told ?? verifyByReading(deps, store, file, signal);
}

/** Undefined where the store has no word that could be compared. */
async function verifyByStore(
  deps: Checking,
  store: Store,
  file: RecordFile,
  { kept, proof }: Vouched & { readonly kept: Kept },
  signal: AbortSignal,
): Promise<FileCheck | undefined> {
  const { path, key, sizeBytes, digest } = file;
  const about = {
    path,
    key,
    sizeBytes,
    expected: digest.sha256,
    checkedBy: "store-digest",
  } as const;
  try {
    if ((await compareKept(store, file, kept, deps, signal)) === undefined) return undefined;
  } catch (error) {
    return failedCheck(about, error, signal);
  }
  deps.onEvent({ type: "file-done", path, proof });
  return { verified: { ...about, outcome: "matches" }, problem: undefined };
}

async function verifyByReading(
  deps: Checking,
  store: Store,
  { path, key, sizeBytes, digest }: RecordFile,
  signal: AbortSignal,
): Promise<FileCheck> {
  const about = { path, key, sizeBytes, expected: digest.sha256, checkedBy: "re-read" } as const;
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
    return failedCheck(about, error, signal);
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

/** What is wrong with one file is told of that file. @throws what stops everything */
function failedCheck(
  about: Omit<VerifiedFile, "outcome">,
  error: unknown,
  signal: AbortSignal,
): FileCheck {
  signal.throwIfAborted();
  if (!(error instanceof ExhibitError) || stopsAll(error)) throw error;
  const outcome = hasCode(error, "not-found.content")
    ? "missing"
    : hasCode(error, "integrity.mismatch")
      ? "differs"
      : "unreadable";
  return { verified: { ...about, outcome }, problem: error };
}
