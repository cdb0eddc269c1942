import { randomBytes } from "node:crypto";
import { buffer } from "node:stream/consumers";
import { expect } from "@jest/globals";
import { sha1Of, sha256Of, type WholeDigests } from "../../src/evidence/digest.ts";
import type { Part, Store, StoredPart, Upload } from "../../src/evidence/ports/store.ts";

/** A real store and what the suite may write to in it. */
export interface StoreUnderTest {
  /** Opens it as another process would: nothing is shared but what the store itself keeps. */
  open(): Promise<Store>;
  /** A key that nothing lies under yet; `a` and `b` are two exhibits, `a` first in key order. */
  newKey(exhibit?: "a" | "b"): string;
  close(): Promise<void>;
}

/** What the tests of one run share. */
export interface Subject {
  made: StoreUnderTest;
  store: Store;
  /** The shortest that the parts of several may be. */
  partBytes: number;
}

export const signal = new AbortController().signal;

/** Cuts content into parts of one length. */
export function partsOf(content: Uint8Array, length = 1000): Part[] {
  const parts: Part[] = [];
  for (let offset = 0; offset < content.byteLength; offset += length) {
    const bytes = content.subarray(offset, offset + length);
    parts.push({ offset, length: bytes.byteLength, sha256: sha256Of(bytes), bytes });
  }
  return parts;
}

/** One part that lies anywhere. */
export function partAt(offset: number, bytes: Buffer): Part {
  return { offset, length: bytes.byteLength, sha256: sha256Of(bytes), bytes };
}

/** What `complete` is told of a whole, for stores of every kind. */
export function digestsOf(content: Uint8Array | string): WholeDigests {
  return { sha256: sha256Of(content), sha1: sha1Of(Buffer.from(content)) };
}

/** Parts as a store lists them that keeps this digest of them. */
export function listed(
  parts: readonly Part[],
  algorithm: StoredPart["digest"]["algorithm"] | undefined,
): StoredPart[] {
  return parts.map(({ offset, length, sha256, bytes }) => ({
    offset,
    length,
    digest:
      algorithm === "sha1"
        ? { algorithm, hex: sha1Of(bytes) }
        : { algorithm: "sha256", hex: sha256 },
  }));
}

export async function begun(
  { made, store, partBytes }: Subject,
  content: Uint8Array,
): Promise<{ upload: Upload; parts: Part[]; first: Part }> {
  const upload = await store.begin(made.newKey(), content.byteLength, partBytes, signal);
  const parts = partsOf(content, upload.partBytes);
  const first = parts[0] ?? { offset: 0, length: 0, sha256: sha256Of(""), bytes: randomBytes(0) };
  return { upload, parts, first };
}

export async function read(store: Store, key: string, range?: { start: number; end: number }) {
  return buffer(await store.open(key, range, signal));
}

export async function keysOf(store: Store, prefix: string): Promise<string[]> {
  const keys: string[] = [];
  for await (const { key } of store.list(prefix, signal)) keys.push(key);
  return keys;
}

/** Any error of this code. */
export function code(value: string): unknown {
  return expect.objectContaining({ code: value });
}
