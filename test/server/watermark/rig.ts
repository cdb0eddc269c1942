import { mkdir, mkdtemp, readFile, realpath, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { sha256Of } from "../../../src/evidence/digest.ts";
import type { Store } from "../../../src/evidence/ports/store.ts";
import type { Mark } from "../../../src/server/watermark/mark.ts";
import {
  createRenditions,
  type Master,
  type Renditions,
} from "../../../src/server/watermark/renditions.ts";
import { openDirectoryStore } from "../../../src/stores/directory/store.ts";

export const never = new AbortController().signal;

export const mark: Mark = {
  shareId: "S7K2M9XQ4T",
  recipient: "Priya Sharma, CPS South",
  organisation: "Test Constabulary",
  reference: "ABC/1",
  at: new Date("2026-11-22T10:37:00Z"),
};

/** A real store in a temporary folder, and the renditions of what is put into it. */
export interface MarkingRig {
  readonly store: Store;
  readonly scratch: string;
  readonly renditions: Renditions;
  add(bytes: Uint8Array, extension?: string): Promise<Master>;
  addFile(path: string): Promise<Master>;
  close(): Promise<void>;
}

export async function markingRig(): Promise<MarkingRig> {
  const root = await realpath(await mkdtemp(join(tmpdir(), "exhibit-marking-")));
  const content = join(root, "content");
  await mkdir(content);
  const store = await openDirectoryStore(content);
  const scratch = join(root, "scratch ' with: odd, [name]");
  const renditions = createRenditions({ content: store, scratch });
  let ordinal = 0;
  const add = async (bytes: Uint8Array, extension = "mp4"): Promise<Master> => {
    ordinal += 1;
    const key = `A/ABC_1/ABC_1-${String(ordinal).padStart(4, "0")}.${extension}`;
    await store.put(key, bytes, sha256Of(bytes), never);
    return { key, mediaType: "video/mp4", sizeBytes: bytes.byteLength };
  };
  return {
    store,
    scratch,
    renditions,
    add,
    addFile: async (path) => add(await readFile(path)),
    close: async () => {
      await renditions.close();
      await rm(root, { recursive: true, force: true });
    },
  };
}
