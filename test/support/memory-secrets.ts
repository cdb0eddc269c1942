import type { Secrets } from "../../src/evidence/ports/secrets.ts";

/** Keeps secrets for the length of a test; `all` shows them, so that logs can be searched for them. */
export interface MemorySecrets extends Secrets {
  all(): ReadonlyMap<string, string>;
}

export function memorySecrets(): MemorySecrets {
  const kept = new Map<string, string>();
  return {
    place: "this test's memory",
    get: (name) => Promise.resolve(kept.get(name)),
    set: (name, secret) => Promise.resolve(void kept.set(name, secret)),
    delete: (name) => Promise.resolve(void kept.delete(name)),
    all: () => kept,
  };
}
