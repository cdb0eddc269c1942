import { setTimeout as pause } from "node:timers/promises";
import { ExhibitError, familyOf } from "../../evidence/errors.ts";
import type {
  Source,
  SourceEntry,
  SourceFile,
  SourceStat,
  WalkWatcher,
} from "../../evidence/ports/source.ts";
import type { S3Answer, S3Bucket, S3Streamed } from "./bucket.ts";
import { failureOf } from "./failures.ts";
import { listObjects } from "./listing.ts";
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
  open: (bucketUrl: string) => Promise<S3Bucket>,
  signal: AbortSignal,
): Source {
  return {
    async *list(location, watcher) {
      const place = placeAt(location);
      const bucket = await open(place.bucketUrl);
      yield* new Walk(bucket, place, watcher, signal).entries();
    },
    async open(location) {
      const place = placeAt(location);
      const bucket = await open(place.bucketUrl);
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
      const answer = await this.#head(key, this.#place.version);
      if (answer.status === 200) {
        const entry = this.#entryOf(key, answer);
        if (entry !== undefined) yield entry;
        return;
      }
      if (answer.status !== 404) throw unreadable(url, answer);
    }
    const folder = isKey ? `${key}/` : key;
    let found = 0;
    for await (const keys of this.#groupsIn(folder)) {
      found += keys.length;
      const answers = await Promise.all(keys.map((one) => this.#head(one)));
      for (const [index, one] of keys.entries()) {
        const answer = answers[index];
        const entry = answer === undefined ? undefined : this.#entryOf(one, answer);
        if (entry !== undefined) yield entry;
      }
    }
    if (found === 0) {
      throw new ExhibitError("not-found.source", `There is nothing at ${url}.`, {
        hint: "Check the bucket, the key and its capitals, and that these credentials may list it.",
      });
    }
  }

  /** The keys in a folder, as many at once as are asked about together. */
  async *#groupsIn(folder: string): AsyncGenerator<string[]> {
    let group: string[] = [];
    for await (const { object } of listObjects(this.#bucket, folder, this.#signal)) {
      group.push(object);
      if (group.length < headsAtOnce) continue;
      yield group;
      group = [];
    }
    if (group.length > 0) yield group;
  }

  #head(key: string, version?: string): Promise<S3Answer> {
    const query = version === undefined ? {} : { versionId: version };
    return this.#bucket.send({ method: "HEAD", key, query }, this.#signal);
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
  const ask = (): Promise<ObjectFacts> =>
    insisting(url, signal, async () => {
      const answer = await bucket.send({ method: "HEAD", key, query }, signal);
      if (answer.status !== 200) throw unreadable(url, answer);
      return factsOf(answer);
    });
  const opened = await ask();
  let lastSeen: SourceStat | undefined = opened.stat;
  return {
    stat: opened.stat,
    async read(buffer, offset) {
      const length = Math.min(buffer.byteLength, opened.stat.sizeBytes - offset);
      if (length <= 0) return 0;
      const range = `bytes=${offset}-${offset + length - 1}`;
      const headers = { range, "if-match": opened.etag };
      const request = { method: "GET", key, query, headers } as const;
      lastSeen = await insisting(url, signal, async () => {
        const answer = await bucket.stream(request, signal);
        return filled(buffer.subarray(0, length), answer, opened, url);
      });
      return length;
    },
    // What was read said what it was part of: only an object of which nothing was read since has to be asked about.
    async statAgain() {
      const seen = lastSeen ?? (await ask()).stat;
      lastSeen = undefined;
      return seen;
    },
    close: () => Promise.resolve(),
  };
}

/** Fills `bytes` with an answer's body. @throws ExhibitError; another error where the line broke */
async function filled(
  bytes: Uint8Array,
  { status, headers, body }: S3Streamed,
  opened: ObjectFacts,
  url: string,
): Promise<SourceStat> {
  const answer = { status, headers, body: Buffer.of() };
  if (status !== 200 && status !== 206) {
    body.destroy();
    throw [404, 412, 416].includes(status) ? replaced(url) : unreadable(url, answer);
  }
  let length = 0;
  for await (const piece of body as AsyncIterable<Buffer>) {
    // Whoever knows no ranges sends the whole.
    if (length + piece.byteLength > bytes.byteLength) throw cutShort(url);
    bytes.set(piece, length);
    length += piece.byteLength;
  }
  if (length < bytes.byteLength) throw cutShort(url);
  const now = factsOf(answer);
  // Some stores repeat no metadata with a range: its own time is what it was.
  return now.etag === opened.etag && now.stat.sizeBytes === opened.stat.sizeBytes
    ? opened.stat
    : now.stat;
}

/** What reads, tried again while the store is gone or busy for a moment. @throws ExhibitError `unavailable.source` in the end */
async function insisting<Result>(
  url: string,
  signal: AbortSignal,
  read: () => Promise<Result>,
): Promise<Result> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await read();
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof ExhibitError && !mayPass(error)) throw error;
      if (tries === triesOfRead) throw gone(url, error);
    }
    await pause(200 * 2 ** tries * (0.5 + Math.random()), undefined, { signal }).catch(() => {
      signal.throwIfAborted();
    });
  }
}

function mayPass({ code }: ExhibitError): boolean {
  return ["unavailable.store", "unavailable.busy", "unavailable.rate-limited"].includes(code);
}

/** What an answer that gives no object stands for; one that may pass stays what it is. */
function unreadable(name: string, answer: S3Answer): ExhibitError {
  const cause = failureOf(answer);
  if (mayPass(cause) || familyOf(cause.code) === "auth") return cause;
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
  return gone(name, cause);
}

function gone(name: string, cause: unknown): ExhibitError {
  const why = cause instanceof Error ? cause.message : "";
  return new ExhibitError("unavailable.source", `${name} cannot be read: ${why}`, {
    hint: "Try again later; what has arrived is kept.",
    cause,
  });
}

function replaced(url: string): ExhibitError {
  return new ExhibitError("integrity.source-changed", `${url} was replaced or removed.`, {
    hint: "Run the same command again, to take what is there now.",
  });
}

function archived(name: string): ExhibitError {
  return new ExhibitError("unavailable.source", `${name} lies in the bucket's archive.`, {
    hint: "Have it restored there first (RestoreObject), then run the same command again.",
  });
}

function cutShort(url: string): Error {
  return new Error(`${url} did not come as it was asked for.`);
}
