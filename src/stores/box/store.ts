import { Readable } from "node:stream";
import { boxAddressText } from "../../evidence/box-address.ts";
import { sha1Of, sha256Of } from "../../evidence/digest.ts";
import { ExhibitError } from "../../evidence/errors.ts";
import type { Clock } from "../../evidence/ports/clock.ts";
import type { KeyStat, Store, Stored } from "../../evidence/ports/store.ts";
import { isRange, noSuchRange, nothingThere } from "../exact-bytes.ts";
import { cannotRetain } from "../no-retention.ts";
import { boxCapabilities, boxLimits } from "./capabilities.ts";
import { Files, placeOf, storedAs } from "./files.ts";
import { keysIn } from "./listing.ts";
import { readFile } from "./reading.ts";
import { Uploads } from "./uploads.ts";

/** A folder in Box as a content store. Nothing is asked of Box before it is used. */
export function boxStore(files: Files, clock: Clock, limits = boxLimits): Store {
  const uploads = new Uploads(files, limits, clock);
  return {
    url: boxAddressText(files.api.address),
    capabilities: boxCapabilities(limits),

    async put(key, bytes, sha256, signal): Promise<Stored> {
      signal.throwIfAborted();
      const [folder, name] = placeOf(key);
      const sizeBytes = bytes.byteLength;
      if (sizeBytes > limits.maxPutBytes) throw tooLarge(sizeBytes, limits.maxPutBytes);
      if (sha256Of(bytes) !== sha256) throw changed();
      const wanted = { key, sizeBytes, sha256 };
      const made = await files.create(folder, name, bytes, signal);
      if ("file" in made) return storedAs(wanted, made.file);
      return files.sameAsHolder({ ...wanted, sha1: sha1Of(bytes) }, made.holder, signal);
    },

    begin: (key, sizeBytes, partBytes, signal) =>
      guarded(signal, () => uploads.begin(key, sizeBytes, partBytes, signal)),
    putPart: (upload, part, signal) => guarded(signal, () => uploads.putPart(upload, part, signal)),
    listParts: (upload, signal) => guarded(signal, () => uploads.listParts(upload, signal)),
    complete: (upload, whole, signal) =>
      guarded(signal, () => uploads.complete(upload, whole, signal)),
    retain: cannotRetain,
    abort: (upload, signal) => guarded(signal, () => uploads.abort(upload, signal)),
    uploads: (signal) => guarded(signal, () => uploads.uploads(signal)),
    stat: (key, signal) => guarded(signal, () => files.told(key, signal)),
    list: (prefix, signal): AsyncIterable<KeyStat> => keysIn(files.folders, prefix, signal),

    async open(key, range, signal) {
      signal.throwIfAborted();
      placeOf(key);
      if (range !== undefined && !isRange(range)) throw noSuchRange(range);
      const file = await files.find(key, signal);
      if (file === undefined) throw nothingThere();
      if (range === undefined) return readFile(files.api, file.id, undefined, signal);
      if (range.end > file.size) throw noSuchRange(range);
      if (range.start === range.end) return Readable.from([]);
      return readFile(files.api, file.id, range, signal);
    },
  };
}

async function guarded<Result>(signal: AbortSignal, work: () => Promise<Result>): Promise<Result> {
  signal.throwIfAborted();
  return work();
}

function tooLarge(sizeBytes: number, limitBytes: number): ExhibitError {
  return new ExhibitError("policy.too-large", "This is too long for one request to Box.", {
    hint: "Longer files go in parts.",
    facts: { sizeBytes, limitBytes },
  });
}

function changed(): ExhibitError {
  return new ExhibitError("integrity.mismatch", "The bytes are not what their digest says.", {
    hint: "Run the same command again; if it happens again, have this computer's memory tested.",
  });
}
