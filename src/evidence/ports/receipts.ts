import type { ExhibitError } from "../errors.ts";
import type { Sealed } from "../seal.ts";

/** Keeps receipts on this machine, for the person who must show one later. */
export interface Receipts {
  /**
   * Saves a receipt, all at once and readable by this person only; `file` overrides where.
   * The same receipt again succeeds. Returns the path of the file.
   */
  save(
    exhibit: { readonly case: string; readonly reference: string },
    receipt: Sealed,
    file: string | undefined,
  ): Promise<string>;
  /**
   * As `save`, for many at once, each under its usual name; durable together when it returns. The path of each, or why it could
   * not be kept, in their order.
   */
  saveAll(
    receipts: readonly {
      readonly exhibit: { readonly case: string; readonly reference: string };
      readonly receipt: Sealed;
    }[],
  ): Promise<(string | ExhibitError)[]>;
}
