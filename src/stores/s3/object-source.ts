import { setTimeout as pause } from "node:timers/promises";
import { ExhibitError } from "../../evidence/errors.ts";
import type {
  Source,
  SourceEntry,
  SourceFile,
  SourceStat,
  WalkWatcher,
} from "../../evidence/ports/source.ts";
import type { S3Answer, S3Bucket, S3Request } from "./bucket.ts";
import { failureOf } from "./failures.ts";
import { keysIn } from "./key-listing.ts";
import { factsOf, originOf, type ObjectFacts } from "./object-facts.ts";
import { locationOf, placeAt, type ObjectPlace } from "./object-place.ts";

/** Objects that are asked about together. */
const headsAtOnce = 16;

/** How often one read is tried. */
const triesOfRead = 4;

/**
 * The objects of buckets as a source of evidence: listed, and read by position, never written. Where the bucket keeps versions, the
 * one that was listed is what is read, whatever is stored under its key meanwhile; elsewhere a read of anything else is refused.
 *
 * @param open - opens a bucket by its address, or gives the one that is open
 */
export function objectSource(
  open: (bucketUrl: string, signal: AbortSignal) => Promise<S3Bucket>,
  signal: AbortSignal,
): Source {
  return {
    async *list(location, watcher) {
      const place = placeAt(location);
      const bucket = await open(place.bucketUrl, signal);
      yield* new Walk(bucket, place, watcher, signal).entries();
    },
    async open(location) {
      const place = placeAt(location);
      const bucket = await open(place.bucketUrl, signal);
      return openObject(bucket, place, signal);
    },
  };
}

/** One walk over a key, or over all keys in a folder. */
class Walk {
  readonly #bucket: S3Bucket;
  readonly #place: ObjectPlace;
  readonly #watcher: WalkWatcher;
  readonly #signal: AbortSignal;

  constructor(bucket: S3Bucket, place: ObjectPlace, watcher: WalkWatcher, signal: AbortSignal) {
    this.#bucket = bucket;
    this.#place = place;
    this.#watcher = watcher;
    this.#signal = signal;
  }

  async *entries(): AsyncGenerator<SourceEntry> {
    const { key, url } = this.#place;
    const isKey = key !== "" && !key.endsWith("/");
    if (isKey) {
      const answer = await this.#head(key);
      if (answer.status === 200) {
        const entry = this.#entryOf(key, answer);
        if (entry !== undefined) yield entry;
        return;
      }
      if (answer.status !== 404) throw unreadable(url, answer);
    }
    const folder = isKey ? `${key}/` : key;
    let found = 0;
    for await (const keys of keysIn(this.#bucket, folder, this.#signal)) {
      for (let at = 0; at < keys.length; at += headsAtOnce) {
        const some = keys.slice(at, at + headsAtOnce);
        const answers = await Promise.all(some.map((one) => this.#head(one)));
        for (const [index, one] of some.entries()) {
          const answer = answers[index];
          const entry = answer === undefined ? undefined : this.#entryOf(one, answer);
          found += 1;
          if (entry !== undefined) yield entry;
        }
      }
    }
    if (found === 0) {
      throw new ExhibitError("not-found.source", `There is nothing at ${url}.`, {
        hint: "Check the bucket, the key and its capitals, and that these credentials may list it.",
      });
    }
  }

  #head(key: string): Promise<S3Answer> {
    return this.#bucket.send({ method: "HEAD", key }, this.#signal);
  }

  /** Nothing for what is no evidence, or cannot be read: the watcher is told. */
  #entryOf(key: string, answer: S3Answer): SourceEntry | undefined {
    const path = this.#pathOf(key);
    if (answer.status !== 200) {
      this.#watcher.unlisted({ path, error: unreadable(path, answer) });
      return undefined;
    }
    const facts = factsOf(answer);
    if (key.endsWith("/") && facts.stat.sizeBytes === 0) {
      this.#watcher.skipped({ path, reason: "the mark of an empty folder, not a file" });
      return undefined;
    }
    if (facts.isArchived) {
      this.#watcher.unlisted({ path, error: archived(path) });
      return undefined;
    }
    const place = placeAt(locationOf(this.#place, key, facts.version));
    return {
      ...facts.stat,
      location: locationOf(this.#place, key, facts.version),
      path,
      pathBytes: undefined,
      origin: originOf(place, facts),
    };
  }

  /** Below what the folder lies in, as a folder's files on a disk are called. */
  #pathOf(key: string): string {
    const named = this.#place.key.replace(/\/+$/, "");
    return key.slice(named.lastIndexOf("/") + 1);
  }
}

async function openObject(
  bucket: S3Bucket,
  place: ObjectPlace,
  signal: AbortSignal,
): Promise<SourceFile> {
  const { key, version, url } = place;
  const query = version === undefined ? {} : { versionId: version };
  const head = await bucket.send({ method: "HEAD", key, query }, signal);
  if (head.status !== 200) throw unreadable(url, head);
  const opened = factsOf(head);
  let lastSeen: SourceStat | undefined = opened.stat;
  const request = (start: number, end: number): S3Request => ({
    method: "GET",
    key,
    query,
    headers: { range: `bytes=${start}-${end - 1}`, "if-match": opened.etag },
  });
  return {
    stat: opened.stat,
    async read(buffer, offset) {
      const end = Math.min(offset + buffer.byteLength, opened.stat.sizeBytes);
      if (end <= offset) return 0;
      const answer = await sent(bucket, request(offset, end), url, signal);
      lastSeen = sameObject(answer, opened, url);
      if (answer.body.byteLength !== end - offset) throw cutShort(url);
      buffer.set(answer.body);
      return answer.body.byteLength;
    },
    // What was read said what it was part of: only a file of which nothing was read since has to be asked about.
    async statAgain() {
      const seen = lastSeen;
      lastSeen = undefined;
      if (seen !== undefined) return seen;
      const answer = await sent(bucket, { method: "HEAD", key, query }, url, signal);
      return sameObject(answer, opened, url);
    },
    close: () => Promise.resolve(),
  };
}

/** A request that reads, tried again while the store is gone or busy for a moment. */
async function sent(
  bucket: S3Bucket,
  request: S3Request,
  url: string,
  signal: AbortSignal,
): Promise<S3Answer> {
  for (let tries = 1; ; tries += 1) {
    const answer = await bucket.send(request, signal).catch((error: unknown) => {
      signal.throwIfAborted();
      if (tries < triesOfRead) return undefined;
      throw error;
    });
    if (answer !== undefined && (answer.status < 500 || tries === triesOfRead)) return answer;
    await pause(200 * 2 ** tries * (0.5 + Math.random()), undefined, { signal }).catch(() => {
      signal.throwIfAborted();
    });
  }
}

/** @throws ExhibitError `integrity.source-changed`, `unavailable.source` */
function sameObject(answer: S3Answer, opened: ObjectFacts, url: string): SourceStat {
  if (answer.status === 412 || answer.status === 404 || answer.status === 416) {
    throw new ExhibitError("integrity.source-changed", `${url} was replaced or removed.`, {
      hint: "Run the same command again, to take what is there now.",
    });
  }
  if (answer.status !== 200 && answer.status !== 206) throw unreadable(url, answer);
  const now = factsOf(answer);
  // Of a range some stores repeat no metadata: its own time is as it was opened.
  return now.etag === opened.etag && now.stat.sizeBytes === opened.stat.sizeBytes
    ? opened.stat
    : now.stat;
}

function unreadable(name: string, answer: S3Answer): ExhibitError {
  if (answer.status === 404) {
    return new ExhibitError("not-found.source", `There is no object ${name}.`, {
      hint: "It was removed, or these credentials may not see it.",
    });
  }
  if (answer.status === 403) {
    return new ExhibitError("unavailable.source", `You may not read ${name}.`, {
      hint: "These credentials need s3:GetObject, and s3:GetObjectVersion where the bucket keeps versions.",
    });
  }
  const cause = failureOf(answer);
  return new ExhibitError("unavailable.source", `${name} cannot be read: ${cause.message}`, {
    ...(cause.hint === undefined ? {} : { hint: cause.hint }),
    cause,
  });
}

function archived(name: string): ExhibitError {
  return new ExhibitError("unavailable.source", `${name} lies in the bucket's archive.`, {
    hint: "Have it restored there first (RestoreObject), then run the same command again.",
  });
}

function cutShort(url: string): ExhibitError {
  return new ExhibitError("unavailable.source", `${url} ended before its end.`, {
    hint: "Run the same command again.",
  });
}
