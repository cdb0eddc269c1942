/** A part that an engine has taken, or will take, as it calls it, and what it holds. */
export interface RememberedPart {
  /** From 1. */
  readonly number: number;
  /** Undefined for one that was only announced: the engine takes nothing else for it, whatever it will call it. */
  readonly etag: string | undefined;
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
  /** All of an upload, or one part of it. */
  forget(upload: string, number?: number): Promise<void>;
}
