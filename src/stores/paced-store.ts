import type { Pace } from "../evidence/ports/pace.ts";
import type { Store } from "../evidence/ports/store.ts";

/** A store that content goes into no faster than a pace allows: for those that are written to without a network. */
export function pacedStore(store: Store, pace: Pace): Store {
  const wait = async (bytes: number, signal: AbortSignal): Promise<void> => {
    for (let left = bytes; left > 0;) {
      const stride = Math.min(left, pace.strideBytes);
      await pace.wait(stride, signal);
      left -= stride;
    }
  };
  return {
    ...store,
    put: async (key, bytes, sha256, signal) => {
      await wait(bytes.byteLength, signal);
      return store.put(key, bytes, sha256, signal);
    },
    putPart: async (upload, part, signal) => {
      await wait(part.length, signal);
      await store.putPart(upload, part, signal);
    },
  };
}
