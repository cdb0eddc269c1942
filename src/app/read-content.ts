import type { Store } from "../evidence/ports/store.ts";
import { persistently, type Persistence } from "../transfer/persistence.ts";

/** A key's bytes as they shall be read: from where, to where, by whom. */
export interface ContentReading {
  readonly store: Store;
  readonly key: string;
  /** First byte wanted, and the size of the whole. */
  readonly from: number;
  readonly sizeBytes: number;
  /** Takes the bytes in order, each once, whatever has to be asked for again. */
  readonly onBytes: (bytes: Uint8Array) => Promise<void> | void;
}

/**
 * Reads a key to its end, going on where a broken connection stopped.
 *
 * @throws ExhibitError `not-found.content`, `unavailable.store`; what `onBytes` throws; the signal's reason
 */
export async function readContent(
  { store, key, from, sizeBytes, onBytes }: ContentReading,
  persistence: Persistence,
  signal: AbortSignal,
): Promise<void> {
  let position = from;
  const readOn = async (): Promise<void> => {
    if (position > 0 && position === sizeBytes) return;
    const range = position === 0 ? undefined : { start: position, end: sizeBytes };
    for await (const bytes of (await store.open(key, range, signal)) as AsyncIterable<Buffer>) {
      await onBytes(bytes);
      position += bytes.length;
    }
  };
  await persistently(readOn, persistence, signal);
}
