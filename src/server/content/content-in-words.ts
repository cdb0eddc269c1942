import { ExhibitError } from "../../evidence/errors.ts";
import type { DirectParts } from "../../evidence/ports/direct-parts.ts";
import type { GroupedContent } from "../../evidence/ports/grouped-content.ts";
import type { SmokeEraser } from "../../evidence/ports/smoke-eraser.ts";
import type { KeyStat, Store } from "../../evidence/ports/store.ts";

/**
 * The content store as clients may hear of it: what is wrong with the server's own disk is told as the server's trouble, without
 * its paths, and never as a refusal of the client.
 */
export function contentInWords(store: Store): Store {
  return {
    url: store.url,
    capabilities: store.capabilities,
    put: (...given) => inWords(() => store.put(...given)),
    begin: (...given) => inWords(() => store.begin(...given)),
    putPart: (...given) => inWords(() => store.putPart(...given)),
    listParts: (...given) => inWords(() => store.listParts(...given)),
    complete: (...given) => inWords(() => store.complete(...given)),
    retain: (...given) => inWords(() => store.retain(...given)),
    abort: (...given) => inWords(() => store.abort(...given)),
    uploads: (...given) => inWords(() => store.uploads(...given)),
    stat: (...given) => inWords(() => store.stat(...given)),
    list: (...given) => listedInWords(store.list(...given)),
    open: (...given) => inWords(() => store.open(...given)),
  };
}

/** Its grouped writes, likewise. */
export function groupedInWords(grouped: GroupedContent): GroupedContent {
  return {
    putAll: async (...given) => {
      const answers = await inWords(() => grouped.putAll(...given));
      return answers.map((one) => (one instanceof ExhibitError ? translatedFailure(one) : one));
    },
    occupied: (...given) => inWords(() => grouped.occupied(...given)),
  };
}

/** The engine behind it, likewise. */
export function directInWords(direct: DirectParts): DirectParts {
  return { addressOf: (...given) => inWords(() => direct.addressOf(...given)) };
}

/** What erases synthetic material, likewise; that it cannot be erased is told as it is. */
export function eraserInWords(eraser: SmokeEraser): SmokeEraser {
  return {
    requireErasable: (...given) => eraser.requireErasable(...given),
    erase: (...given) => inWords(() => eraser.erase(...given)),
  };
}

async function inWords<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw translated(error);
  }
}

async function* listedInWords(keys: AsyncIterable<KeyStat>): AsyncIterable<KeyStat> {
  try {
    yield* keys;
  } catch (error) {
    throw translated(error);
  }
}

function translated(error: unknown): unknown {
  return error instanceof ExhibitError ? translatedFailure(error) : error;
}

function translatedFailure(error: ExhibitError): ExhibitError {
  if (error.code === "unavailable.no-space") {
    return new ExhibitError("unavailable.no-space", "The server has no room for this.", {
      hint: "Tell the server's administrator; what has arrived is kept.",
      facts: error.facts,
      cause: error,
    });
  }
  if (error.code === "unavailable.busy") {
    return new ExhibitError("unavailable.busy", "The server's content store is busy.", {
      hint: "Try again in a moment; what has arrived is kept.",
      cause: error,
    });
  }
  const isDisk =
    error.code === "policy.not-permitted" ||
    error.code === "policy.unsupported" ||
    error.code === "unavailable.store";
  if (!isDisk) return error;
  return new ExhibitError("unavailable.store", "The server's content store is in trouble.", {
    hint: "Try again later, and tell the server's administrator.",
    cause: error,
  });
}
