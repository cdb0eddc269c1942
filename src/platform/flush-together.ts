import { spawn, type ChildProcessByStdio } from "node:child_process";
import { open, statfs, type FileHandle } from "node:fs/promises";
import type { Socket } from "node:net";
import { release } from "node:os";
import { createInterface } from "node:readline";
import type { Readable, Writable } from "node:stream";
import type { FlushTogether } from "../evidence/ports/flush-together.ts";

/** File systems that honour syncfs(2) and report what it could not write: ext4, xfs, btrfs, tmpfs, overlayfs. */
const honest = new Set([0xef53, 0x58465342, 0x9123683e, 0x01021994, 0x794c7630]);

/** Linux reports write errors by syncfs(2) from this version on. */
const reportsFrom = [5, 8] as const;

/**
 * Flushes everything at once where the file system is known to honour it: one `sync -f` (coreutils) for all, instead of
 * an fsync each, which for thousands of small files takes ten times as long. Elsewhere an fsync each.
 */
export function flushTogether(): FlushTogether {
  const syncers = new Map<string, Promise<Syncer | undefined>>();
  return async (root, made) => {
    const found = syncers.get(root) ?? syncerFor(root);
    syncers.set(root, found);
    const syncer = await found;
    if (syncer === undefined) {
      await flushEach(made);
      return;
    }
    try {
      await syncer.sync();
    } catch (error) {
      // An error is told once, to whoever asks first: from now on every file is asked for itself.
      syncers.set(root, Promise.resolve(undefined));
      throw error;
    }
  };
}

/** Tried once before anything relies on it, so that a failure later on is one of the disk. */
async function syncerFor(root: string): Promise<Syncer | undefined> {
  if (process.platform !== "linux" || !reportsWriteErrors(release())) return undefined;
  try {
    if (!honest.has((await statfs(root)).type)) return undefined;
    const syncer = new Syncer(root);
    await syncer.sync();
    return syncer;
  } catch {
    return undefined;
  }
}

function reportsWriteErrors(version: string): boolean {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  return major > reportsFrom[0] || (major === reportsFrom[0] && minor >= reportsFrom[1]);
}

type Shell = ChildProcessByStdio<Writable, Readable, null>;

/**
 * Syncs one file system again and again. A shell starts each `sync`, because this process is a large one: to start a program
 * from it takes longer than most syncs do.
 */
class Syncer {
  readonly #root: string;
  #shell: Shell | undefined;
  #answers: AsyncIterator<string> | undefined;
  #turn: Promise<unknown> = Promise.resolve();
  /** The sync that has not begun yet. */
  #next: Promise<void> | undefined;
  #hasFailed = false;

  constructor(root: string) {
    this.#root = root;
  }

  /**
   * One at a time; all that ask while one is under way share the next, which begins after they asked.
   *
   * @throws Error where anything could not be written, or nobody knows; from then on always
   */
  sync(): Promise<void> {
    this.#next ??= this.#afterThis();
    return this.#next;
  }

  async #afterThis(): Promise<void> {
    const before = this.#turn;
    const turn = before.then(() => {
      this.#next = undefined;
      return this.#sync();
    });
    this.#turn = turn.catch(() => undefined);
    await turn;
  }

  async #sync(): Promise<void> {
    // The kernel has told its error: another sync would succeed, though what it was asked for may be lost.
    if (this.#hasFailed) throw notSynced();
    const shell = (this.#shell ??= this.#start());
    hold(shell, true);
    shell.stdin.write("sync\n");
    const answer = await this.#answers?.next();
    hold(shell, false);
    if (answer?.done === false && answer.value === "0") return;
    this.#hasFailed = true;
    shell.stdin.end();
    throw notSynced();
  }

  #start(): Shell {
    // It ends with its input, and so with this process, and with nothing else: what asks this process to stop (Ctrl-C in a
    // terminal, a service's end) is often said to all that it has started, and the last files are still to be flushed then.
    const script = `trap '' INT TERM HUP; while read -r _; do sync -f "$0"; echo $?; done`;
    const shell = spawn("sh", ["-c", script, this.#root], {
      stdio: ["pipe", "pipe", "ignore"],
      detached: true,
    });
    // Whatever goes wrong with it, no answer comes, and that is a failure.
    shell.on("error", () => undefined);
    shell.stdin.on("error", () => undefined);
    this.#answers = createInterface({ input: shell.stdout })[Symbol.asyncIterator]();
    return shell;
  }
}

function notSynced(): Error {
  return Object.assign(new Error("The file system could not be synced."), { code: "EIO" });
}

/** Keeps this process from ending only while an answer is awaited. */
function hold(shell: Shell, isHeld: boolean): void {
  // Its pipes are sockets, which the types do not say.
  for (const one of [shell, shell.stdin, shell.stdout] as unknown as Pick<
    Socket,
    "ref" | "unref"
  >[]) {
    if (isHeld) one.ref();
    else one.unref();
  }
}

async function flushEach(made: Parameters<FlushTogether>[1]): Promise<void> {
  for (const file of made.files) {
    const handle = await open(file, "r+");
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
  }
  for (const folder of made.folders) await flushFolder(folder);
}

/** Codes with which a platform says that it does not flush folders: nothing more can be done there. */
const noFolderFlush = new Set(["EINVAL", "EISDIR", "EPERM", "EACCES", "ENOTSUP", "EBADF"]);

async function flushFolder(folder: string): Promise<void> {
  let handle: FileHandle | undefined;
  try {
    handle = await open(folder, "r");
    await handle.sync();
  } catch (error) {
    if (!noFolderFlush.has((error as NodeJS.ErrnoException).code ?? "")) throw error;
  } finally {
    await handle?.close();
  }
}
