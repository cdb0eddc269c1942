import { ExhibitError } from "../evidence/errors.ts";
import type { Source, SourceEntry, WalkWatcher } from "../evidence/ports/source.ts";
import type { Proof } from "../evidence/proof.ts";
import { receiptSchema, receiptType, type Receipt } from "../evidence/receipt.ts";
import {
  openSealed,
  sealedSchema,
  thumbprintOf,
  unverifiedPayload,
  type Sealed,
} from "../evidence/seal.ts";
import type { Deps, Failure, Pin } from "./deps.ts";
import { failureOf } from "./failure.ts";
import { hashSource } from "./hash-source.ts";

export interface VerifyReceiptRequest {
  /** The receipt's file, and the files (or folders) it may vouch for. Absolute. */
  readonly receipt: string;
  readonly files: readonly string[];
  /** The thumbprint of the key that must have signed, as the issuer gave it to you; else this machine's pins decide. */
  readonly key?: string;
}

export interface ReceiptFileCheck {
  readonly path: string;
  readonly sha256: string;
  readonly sizeBytes: number;
  /** Present when the receipt vouches for these bytes. */
  readonly key?: string;
  readonly proof?: Proof;
}

/** Exit code: 0 when `failed` is empty, else that of its first code. */
export interface VerifyReceiptResult {
  readonly receipt: Receipt;
  /** Whose pinned key signed it, in words. */
  readonly signedBy: string;
  readonly files: readonly ReceiptFileCheck[];
  /** Keys in the receipt that no given file fits. */
  readonly notChecked: readonly string[];
  readonly failed: readonly Failure[];
}

type VerifyReceiptDeps = Pick<Deps, "source" | "pins" | "onEvent">;

/** More than any receipt of 10,000 files has. */
const maxReceiptBytes = 16 * 1024 * 1024;

/**
 * Checks a receipt and files against it, without any network. A key that comes along with the receipt does not count.
 *
 * @throws ExhibitError `integrity.signature`, `not-found.source`, `usage.invalid` when it is no receipt
 */
export async function verifyReceipt(
  deps: VerifyReceiptDeps,
  request: VerifyReceiptRequest,
  signal: AbortSignal,
): Promise<VerifyReceiptResult> {
  const sealed = await readSealed(deps.source, request.receipt);
  const pins = await trusted(deps, request.key);
  const { receipt, signedBy } = await openReceipt(sealed, pins);
  const unchecked = new Set(receipt.files.map(({ key }) => key));
  const files: ReceiptFileCheck[] = [];
  const failed: Failure[] = [];
  const watcher: WalkWatcher = {
    skipped: ({ path, reason }) => {
      const why = new ExhibitError("not-found.source", `${path} is ${reason}.`);
      failed.push(failureOf(path, why));
    },
    unlisted: ({ path, error }) => failed.push(failureOf(path, error)),
  };
  for (const location of request.files) {
    for await (const entry of deps.source.list(location, watcher)) {
      const file = await checkFile(deps, entry, receipt, signal);
      files.push(file);
      if (file.key === undefined) failed.push(failureOf(entry.path, notVouched(entry)));
      else unchecked.delete(file.key);
    }
  }
  return { receipt, signedBy, files, notChecked: [...unchecked], failed };
}

async function readSealed(source: Source, location: string): Promise<Sealed> {
  const file = await source.open(location);
  try {
    const bytes = Buffer.alloc(Math.min(file.stat.sizeBytes, maxReceiptBytes));
    const text = bytes.subarray(0, await file.read(bytes, 0)).toString("utf8");
    return sealedSchema.parse(JSON.parse(text));
  } catch (cause) {
    if (cause instanceof ExhibitError) throw cause;
    throw notAReceipt(location, cause);
  } finally {
    await file.close();
  }
}

async function trusted(deps: VerifyReceiptDeps, key: string | undefined): Promise<readonly Pin[]> {
  if (key === undefined) return deps.pins();
  return [{ thumbprint: key.trim(), whose: "the key you named" }];
}

async function openReceipt(
  sealed: Sealed,
  pins: readonly Pin[],
): Promise<{ receipt: Receipt; signedBy: string }> {
  const claimed = receiptSchema.safeParse(unverifiedPayload(sealed));
  if (!claimed.success) throw notAReceipt("that path", claimed.error);
  const { key } = claimed.data.issuer;
  const thumbprint = await thumbprintOf(key);
  const pin = pins.find((one) => one.thumbprint === thumbprint);
  if (pin === undefined) {
    throw new ExhibitError(
      "integrity.signature",
      "The receipt was signed by a key that this computer does not know.",
      {
        hint: "Ask its issuer for the thumbprint of their key, by another way than the receipt came, and name it with --key.",
        facts: { thumbprint },
      },
    );
  }
  if (pin.until !== undefined && claimed.data.receivedAt > pin.until) {
    throw new ExhibitError(
      "integrity.signature",
      `The receipt says it is younger than its key, which was retired on ${pin.until}.`,
      { hint: "Do not rely on it. Tell the store's administrator.", facts: { thumbprint } },
    );
  }
  return {
    receipt: receiptSchema.parse(await openSealed(sealed, receiptType, key)),
    signedBy: pin.whose,
  };
}

async function checkFile(
  deps: VerifyReceiptDeps,
  entry: SourceEntry,
  receipt: Receipt,
  signal: AbortSignal,
): Promise<ReceiptFileCheck> {
  const { path, sizeBytes } = entry;
  const sha256 = await hashSource(entry, deps, signal);
  const vouched = receipt.files.find(
    (one) => one.digest.sha256 === sha256 && one.sizeBytes === sizeBytes,
  );
  const checked = { path, sha256, sizeBytes };
  return vouched === undefined ? checked : { ...checked, key: vouched.key, proof: vouched.proof };
}

function notVouched({ path }: SourceEntry): ExhibitError {
  return new ExhibitError("integrity.mismatch", `The receipt does not vouch for ${path}.`, {
    hint: "The file was changed after it was uploaded, or belongs to another receipt.",
  });
}

function notAReceipt(location: string, cause: unknown): ExhibitError {
  return new ExhibitError("usage.invalid", `There is no receipt of this product at ${location}.`, {
    hint: "Name the .receipt.json file that the upload left.",
    cause,
  });
}
