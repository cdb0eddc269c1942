import { ExhibitError } from "../../src/evidence/errors.ts";
import type { Source } from "../../src/evidence/ports/source.ts";
import type { Part, Store } from "../../src/evidence/ports/store.ts";

/** A source that counts what is read from it, and lets a test act just after a read. */
export interface CountedSource extends Source {
  bytesRead: number;
  afterRead: ((offset: number) => Promise<void> | void) | undefined;
}

export function countedSource(source: Source): CountedSource {
  const counted: CountedSource = {
    bytesRead: 0,
    afterRead: undefined,
    list: (location, watcher) => source.list(location, watcher),
    async open(location) {
      const file = await source.open(location);
      return {
        ...file,
        async read(buffer, offset) {
          const read = await file.read(buffer, offset);
          counted.bytesRead += read;
          await counted.afterRead?.(offset);
          return read;
        },
      };
    },
  };
  return counted;
}

export type StoreCall = "put" | "begin" | "putPart" | "listParts" | "complete" | "stat";

/** A store that counts parts, and whose answers a test can lose, before or after the store has acted. */
export interface CountedStore extends Store {
  /** Bytes of the parts and files that were handed to the store, each try counted. */
  bytesSent: number;
  /** Every try of every part, in order. */
  readonly tries: { readonly offset: number; readonly sha256: string }[];
  /** Called with each try's bytes, before the store acts. */
  beforePart: ((part: Part) => Promise<void> | void) | undefined;
  /** Makes the next `times` calls fail: `before` the store acts, or `after` it (a lost reply). */
  fail(call: StoreCall, when: "before" | "after", error: ExhibitError, times?: number): void;
}

export function countedStore(store: Store): CountedStore {
  const faults: { call: StoreCall; when: "before" | "after"; error: ExhibitError }[] = [];
  const faulty = async <Result>(call: StoreCall, act: () => Promise<Result>): Promise<Result> => {
    const index = faults.findIndex((fault) => fault.call === call);
    const [fault] = index < 0 ? [] : faults.splice(index, 1);
    if (fault?.when === "before") throw fault.error;
    const result = await act();
    if (fault?.when === "after") throw fault.error;
    return result;
  };
  const counted: CountedStore = {
    ...store,
    bytesSent: 0,
    tries: [],
    beforePart: undefined,
    fail(call, when, error, times = 1) {
      for (let time = 0; time < times; time += 1) faults.push({ call, when, error });
    },
    put(key, bytes, sha256, signal) {
      counted.bytesSent += bytes.length;
      return faulty("put", () => store.put(key, bytes, sha256, signal));
    },
    begin: (key, size, part, signal) => faulty("begin", () => store.begin(key, size, part, signal)),
    async putPart(upload, part, signal) {
      counted.bytesSent += part.length;
      counted.tries.push({ offset: part.offset, sha256: part.sha256 });
      await counted.beforePart?.(part);
      return faulty("putPart", () => store.putPart(upload, part, signal));
    },
    listParts: (upload, signal) => faulty("listParts", () => store.listParts(upload, signal)),
    complete: (upload, sha256, signal, onProved) =>
      faulty("complete", () => store.complete(upload, sha256, signal, onProved)),
    stat: (key, signal) => faulty("stat", () => store.stat(key, signal)),
  };
  return counted;
}

/** The failure of a store that is not there for the moment. */
export function storeGone(facts: Record<string, number> = {}): ExhibitError {
  return new ExhibitError("unavailable.store", "The store does not answer.", { facts });
}
