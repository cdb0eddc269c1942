/** A part that an engine has taken, as it calls it, and what it holds. */
export interface RememberedPart {
  /** From 1. */
  readonly number: number;
  readonly etag: string;
  readonly sizeBytes: number;
  readonly sha256: string;
}

/**
 * Remembers beyond this process what the parts of unfinished uploads hold, for engines that tell nothing of it which could be
 * compared. It may forget: what it does not know is sent again.
 */
export interface PartMemory {
  recall(upload: string): Promise<readonly RememberedPart[]>;
  keep(upload: string, part: RememberedPart): Promise<void>;
  forget(upload: string): Promise<void>;
}
