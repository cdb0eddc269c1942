import { watch, type FSWatcher, type OpenDirOptions } from "node:fs";
import { lstat, opendir } from "node:fs/promises";
import { basename } from "node:path";
import { inside } from "../file-names.ts";

/** Hears of changes in a folder and all below it, as far as the system tells of them. */
export interface HeardFolder {
  /** Which limit of the system leaves folders that nothing is told of. */
  readonly limit: string | undefined;
  /** False before the first {@link cover}, and when the folder itself was moved or removed. */
  readonly isHeard: boolean;
  /** Begins, or goes on, to hear of all that is there now. */
  cover(signal: AbortSignal): Promise<void>;
  close(): void;
}

/** A folder whose changes the system tells of. */
interface Folder {
  readonly path: Buffer;
  /** Which folder of the disk it is; undefined once the system tells no more of it. */
  identity: string | undefined;
  readonly watcher: FSWatcher;
  readonly below: Map<string, Folder>;
}

/**
 * Hears of every change in a folder and all folders below it on Linux, where the system tells of one folder at a time: also in those
 * that are made, moved or put back later. Links are not followed.
 */
export class FolderTree implements HeardFolder {
  readonly #path: Buffer;
  readonly #happened: () => void;
  #root: Folder | undefined;
  /** What is done to the tree is done one by one. */
  #turn: Promise<void> = Promise.resolve();
  #limit: string | undefined;
  #isClosed = false;

  /** @param happened called for each change, and whenever a folder is heard for the first time */
  constructor(path: string, happened: () => void) {
    this.#path = Buffer.from(path);
    this.#happened = happened;
  }

  get limit(): string | undefined {
    return this.#limit;
  }

  get isHeard(): boolean {
    return this.#root?.identity !== undefined;
  }

  /** Compares the whole tree with the disk: what the system could not tell, because too much came at once, is made up for. */
  cover(signal: AbortSignal): Promise<void> {
    return this.#inTurn(async () => {
      this.#limit = undefined;
      this.#root = await this.#heard(this.#path, this.#root, signal);
    });
  }

  close(): void {
    this.#isClosed = true;
    // Behind what is being done to the tree.
    void this.#inTurn(() => {
      forget(this.#root);
    });
  }

  #inTurn(work: () => Promise<void> | void): Promise<void> {
    this.#turn = this.#turn.then(work);
    return this.#turn;
  }

  /** The folder at `path`, heard with all below it; undefined where there is none, or none that can be heard. */
  async #heard(
    path: Buffer,
    known: Folder | undefined,
    signal?: AbortSignal,
  ): Promise<Folder | undefined> {
    const stat = await lstat(path, { bigint: true }).catch(() => undefined);
    const identity = stat?.isDirectory() === true ? `${stat.dev}:${stat.ino}` : undefined;
    const same = identity !== undefined && known?.identity === identity ? known : undefined;
    if (same === undefined) forget(known);
    if (identity === undefined || this.#isClosed) return undefined;
    const folder = same ?? this.#hear(path, identity);
    if (folder === undefined || signal?.aborted === true) return folder;
    // What comes from now on is told; what came before is read.
    const names = await subfolders(path);
    for (const [name, child] of folder.below) {
      if (names.has(name)) continue;
      forget(child);
      folder.below.delete(name);
    }
    for (const [name, bytes] of names) {
      await this.#keep(folder, name, bytes, folder.below.get(name), signal);
    }
    return folder;
  }

  async #keep(
    folder: Folder,
    name: string,
    bytes: Buffer,
    known: Folder | undefined,
    signal?: AbortSignal,
  ): Promise<void> {
    const child = await this.#heard(inside(folder.path, bytes), known, signal);
    if (child === undefined) folder.below.delete(name);
    else folder.below.set(name, child);
  }

  #hear(path: Buffer, identity: string): Folder | undefined {
    // One refusal is enough: the next look at the whole tree asks again.
    if (this.#limit !== undefined) return undefined;
    try {
      const watcher = watch(path, { encoding: "buffer" }, (kind, name) => {
        this.#happened();
        if (kind === "rename" && name !== null) this.#tellOf(folder, name);
      });
      const folder: Folder = { path, identity, watcher, below: new Map() };
      watcher.on("error", () => {
        folder.identity = undefined;
      });
      this.#happened();
      return folder;
    } catch (error) {
      this.#limit = limitOf(error as NodeJS.ErrnoException);
      return undefined;
    }
  }

  /** A name has come, has gone, or is another's now. */
  #tellOf(folder: Folder, bytes: Buffer): void {
    // Told by its own name: the folder itself was moved or removed.
    if (folder === this.#root && bytes.equals(Buffer.from(basename(this.#path.toString())))) {
      folder.identity = undefined;
    }
    const name = bytes.toString("latin1");
    void this.#inTurn(async () => {
      if (folder.identity === undefined) return;
      // A new folder may have the number of the one that was removed: what was heard there is not taken for it.
      forget(folder.below.get(name));
      folder.below.delete(name);
      await this.#keep(folder, name, bytes, undefined);
    });
  }
}

function forget(folder: Folder | undefined): void {
  if (folder === undefined) return;
  folder.identity = undefined;
  folder.watcher.close();
  for (const child of folder.below.values()) forget(child);
  folder.below.clear();
}

/** The folders in a folder, by their names as one letter a byte; none where it cannot be read. */
async function subfolders(path: Buffer): Promise<ReadonlyMap<string, Buffer>> {
  // Node's types know no folder whose name is bytes, nor names that are.
  const options = { encoding: "buffer", bufferSize: 1024 } as unknown as OpenDirOptions;
  const names = new Map<string, Buffer>();
  try {
    for await (const entry of await opendir(path, options)) {
      const name = entry.name as unknown as Buffer;
      if (entry.isDirectory()) names.set(name.toString("latin1"), name);
    }
  } catch {
    // It has gone, or may not be read: its files are told of when they are looked for.
  }
  return names;
}

/** inotify(7): the limits of this user's watches and instances; of other refusals the look at the files tells. */
function limitOf({ code }: NodeJS.ErrnoException): string | undefined {
  if (code === "ENOSPC") return "fs.inotify.max_user_watches";
  if (code === "EMFILE") return "fs.inotify.max_user_instances";
  return undefined;
}
