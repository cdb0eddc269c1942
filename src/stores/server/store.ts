import { Readable } from "node:stream";
import { ExhibitError } from "../../evidence/errors.ts";
import { keySchema } from "../../evidence/key.ts";
import type { ByteRange, KeyStat, Store } from "../../evidence/ports/store.ts";
import { contentPath, contentPathOf, keyPageSchema, storedSchema } from "../../protocol/content.ts";
import { cannotRetain, noRetention } from "../no-retention.ts";
import { sendBytes } from "./data-plane.ts";
import { readContent } from "./read-content.ts";
import type { Session } from "./session.ts";
import { UploadCalls } from "./upload-calls.ts";
import { checkedStored, valid } from "./valid-answer.ts";

/** An exhibit server as a content store: keys of the exhibits that the session's identity may write to and read. */
export function storeOf(session: Session): Store {
  const calls = new UploadCalls(session);
  const { partLengths, minPartBytes, maxPartBytes, maxParts, maxPutBytes, maxObjectBytes } =
    session.statement.limits;
  return {
    url: session.url,
    capabilities: {
      parts: { lengths: partLengths, minBytes: minPartBytes, maxBytes: maxPartBytes, maxParts },
      maxPutBytes,
      minUploadBytes: 0,
      comparesSha1: false,
      maxObjectBytes,
      proof: "whole",
      refusesOverwrite: true,
      allotsReferences: true,
      retention: noRetention,
    },
    put: async (key, bytes, sha256, signal) => {
      assertKey(key);
      const url = `${session.url}${contentPathOf(key)}`;
      const answer = await sendBytes(
        session,
        { method: "PUT", url, headers: {}, bytes, sha256 },
        signal,
      );
      const sent = { key, sizeBytes: bytes.byteLength, sha256 };
      return checkedStored(valid(storedSchema, answer), sent);
    },
    begin: async (key, sizeBytes, partBytes, signal) => {
      signal.throwIfAborted();
      assertKey(key);
      return calls.begin(key, sizeBytes, partBytes, signal);
    },
    putPart: async (upload, part, signal) => {
      signal.throwIfAborted();
      await calls.putPart(upload, part, signal);
    },
    listParts: async (upload, signal) => {
      signal.throwIfAborted();
      return calls.listParts(upload, signal);
    },
    complete: async (upload, { sha256 }, signal, onProved) => {
      signal.throwIfAborted();
      return calls.complete(upload, sha256, signal, onProved);
    },
    retain: cannotRetain,
    abort: async (upload, signal) => {
      signal.throwIfAborted();
      await calls.abort(upload, signal);
    },
    uploads: async (signal) => {
      signal.throwIfAborted();
      return calls.uploads(signal);
    },
    stat: async (key, signal) => {
      signal.throwIfAborted();
      assertKey(key);
      return findKey(session, key, signal);
    },
    list: (prefix, signal) => listKeys(session, prefix, signal),
    open: async (key, range, signal) => {
      signal.throwIfAborted();
      assertKey(key);
      if (range !== undefined && range.start === range.end) {
        return openNothing(session, key, range, signal);
      }
      return readContent(session, key, range, signal);
    },
  };
}

/** A key is never sent before it is known to be one: it stands in a path. */
function assertKey(key: string): void {
  if (keySchema.safeParse(key).success) return;
  throw new ExhibitError("usage.invalid", "This is not a key of this product.", {
    hint: "A key is <case>/<reference>/<name>, as exhibit writes them.",
  });
}

/** Asked as a listing, because the refusal of a HEAD request cannot say why. */
async function findKey(
  session: Session,
  key: string,
  signal: AbortSignal,
): Promise<KeyStat | undefined> {
  const { keys } = await page(session, { prefix: key, limit: 1 }, signal);
  return keys.find((found) => found.key === key);
}

async function* listKeys(
  session: Session,
  prefix: string,
  signal: AbortSignal,
): AsyncGenerator<KeyStat> {
  let after = "";
  for (;;) {
    signal.throwIfAborted();
    const { keys, next } = await page(session, { prefix, after }, signal);
    for (const found of keys) {
      if (found.key <= after || !found.key.startsWith(prefix)) throw outOfOrder();
      after = found.key;
      yield found;
    }
    if (next === undefined) return;
    if (keys.length === 0) throw outOfOrder();
  }
}

async function page(
  session: Session,
  query: Readonly<Record<string, string | number>>,
  signal: AbortSignal,
) {
  const answer = await session.call({ method: "GET", path: contentPath, query }, signal);
  return valid(keyPageSchema, answer.body);
}

/** HTTP has no empty range: only whether it could be there is asked. */
async function openNothing(
  session: Session,
  key: string,
  { start }: ByteRange,
  signal: AbortSignal,
): Promise<Readable> {
  const found = await findKey(session, key, signal);
  if (found === undefined) {
    throw new ExhibitError("not-found.content", "The store holds nothing under this key.");
  }
  if (start < 0 || start > found.sizeBytes) {
    throw new ExhibitError("usage.invalid", "The file has no such range of bytes.");
  }
  return Readable.from([], { objectMode: false });
}

function outOfOrder(): ExhibitError {
  return new ExhibitError("unavailable.store", "The server's list of keys is out of order.", {
    hint: "The client and the server may be of different versions.",
  });
}
