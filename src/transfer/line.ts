import { hasCode } from "../evidence/errors.ts";
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

/** Makes a request that carries `bytes`, once, and lets the line learn from it: how fast it is, and whether it is pressed. */
export async function overLine<Result>(
  { concurrency, partSizes }: Line,
  bytes: number,
  request: () => Promise<Result>,
): Promise<Result> {
  const startedAt = performance.now();
  try {
    const result = await request();
    const endedAt = performance.now();
    partSizes.sent(bytes, endedAt - startedAt);
    concurrency.sent(bytes, startedAt, endedAt);
    return result;
  } catch (error) {
    if (hasCode(error, "unavailable.busy") || hasCode(error, "unavailable.rate-limited")) {
      concurrency.pressed(startedAt, performance.now());
    } else if (hasCode(error, "policy.too-large")) {
      partSizes.refused(bytes);
    }
    throw error;
  }
}
