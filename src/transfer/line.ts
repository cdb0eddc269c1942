import { AdaptiveConcurrency } from "./concurrency.ts";
import { PartBuffers } from "./part-buffers.ts";
import { PartSizes } from "./part-sizes.ts";

/** What all transfers of one command share: how much may be in flight, and the memory for it. */
export interface Line {
  readonly concurrency: AdaptiveConcurrency;
  readonly buffers: PartBuffers;
  readonly partSizes: PartSizes;
}

export interface LineLimits {
  /** Parts in flight at once, at most. */
  readonly concurrency: number;
  /** Bytes of a part, at most; a store may need larger ones. */
  readonly partBytes: number;
}

export function openLine(limits: LineLimits): Line {
  const concurrency = new AdaptiveConcurrency(limits.concurrency);
  return {
    concurrency,
    buffers: new PartBuffers(concurrency, limits.partBytes),
    partSizes: new PartSizes(limits.partBytes),
  };
}
