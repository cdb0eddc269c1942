import { ExhibitError } from "../evidence/errors.ts";
import type { Proof } from "../evidence/proof.ts";
import type { Receipt } from "../evidence/receipt.ts";
import type { Deps, Failure } from "./deps.ts";

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

/**
 * Checks a receipt and files against it, without any network. A key that comes along with the receipt does not count.
 *
 * @throws ExhibitError `integrity.signature`, `not-found.source`, `usage.invalid`
 */
export async function verifyReceipt(
  deps: Pick<Deps, "source" | "pins" | "onEvent">,
  request: VerifyReceiptRequest,
  signal: AbortSignal,
): Promise<VerifyReceiptResult> {
  await deps.pins();
  signal.throwIfAborted();
  throw new ExhibitError("unavailable.program", `Not built yet: ${request.receipt}`);
}
