import type { Proof } from "./proof.ts";

/** What a transfer tells while it runs. Paths are for the person at the screen only; never for a log. */
export type TransferEvent =
  /** So much more is to be done; `isComplete` when no more will be found. */
  | {
      readonly type: "planned";
      readonly files: number;
      readonly bytes: number;
      readonly isComplete: boolean;
    }
  /** Its digest is fixed, before anything is sent. */
  | {
      readonly type: "file-hashed";
      readonly path: string;
      readonly sizeBytes: number;
      readonly sha256: string;
    }
  /** RFC 3339, UTC. Without `arrivesAt` it is more than a fortnight. */
  | {
      readonly type: "needed-by";
      readonly neededBy: string;
      readonly arrivesAt?: string;
      readonly isLate: boolean;
    }
  | { readonly type: "file-started"; readonly path: string; readonly sizeBytes: number }
  /** Bytes whose digest is now known; `sent` of them over the wire, the rest was there already. */
  | {
      readonly type: "part-done";
      readonly path: string;
      readonly bytes: number;
      readonly sent: boolean;
    }
  | { readonly type: "proving"; readonly path: string; readonly provedBytes: number }
  | { readonly type: "file-done"; readonly path: string; readonly proof: Proof }
  | { readonly type: "file-failed"; readonly path: string; readonly message: string }
  | { readonly type: "waiting"; readonly reason: string; readonly seconds: number };

export type OnTransferEvent = (event: TransferEvent) => void;
