import { createHash } from "node:crypto";
import { constants, createReadStream, type Stats } from "node:fs";
import { link, lstat, mkdir, open, rename, unlink, type FileHandle } from "node:fs/promises";
import path from "node:path";
import { ExhibitError } from "../evidence/errors.ts";
import type {
  Destination,
  DestinationFile,
  DestinationWriter,
} from "../evidence/ports/destination.ts";
import { noHardLinks } from "../evidence/no-hard-links.ts";
import { outwaitingScanners } from "../evidence/held-files.ts";
import { destinationSegments } from "./destination-names.ts";
import { takePassingLock, type ReleaseLock } from "./file-lock.ts";
import { inside } from "./file-names.ts";

/** Flags that Windows does not know are undefined there. */
const noFollow = (constants.O_NOFOLLOW as number | undefined) ?? 0;
const writePartial = constants.O_WRONLY | constants.O_CREAT | noFollow;
/** What a full disk or quota is called, by SQLite too. */
const diskFull = new Set(["ENOSPC", "EDQUOT", "SQLITE_FULL"]);

/** Folders of this machine to restore files into. */
export function fileDestination(): Destination {
  return {
    place(folder, name) {
      return placeFor(path.resolve(folder), destinationSegments(name, process.platform));
    },
  };
}

function placeFor(topFolder: string, segments: readonly Buffer[]): DestinationFile {
  const root = Buffer.from(topFolder);
  const folders = segments.slice(0, -1);
  const folder = folders.reduce(inside, root);
  const finished = segments.reduce(inside, root);
  const hidden = hiddenName(segments);
  const partial = inside(folder, Buffer.from(`${hidden}.part`));
  const name = segments.map((segment) => segment.toString("utf8")).join("/");
  return {
    name,
    state: async () => ({
      finishedBytes: (await fileAt(finished, name))?.size,
      partialBytes: (await fileAt(partial, name))?.size,
    }),
    read: (which) => createReadStream(which === "finished" ? finished : partial),
    write: (keepBytes) =>
      inWords(name, async () => {
        await makeFolders(root, folders);
        // In the top folder, since SQLite takes no name that is not UTF-8.
        const release = takePassingLock(path.join(topFolder, `${hidden}.lock`));
        if (release === undefined) throw locked(name);
        try {
          const handle = await openPartial(partial, keepBytes);
          return writer(handle, keepBytes, { name, folder, partial, finished, release });
        } catch (error) {
          release();
          throw error;
        }
      }),
  };
}

/** Short, because the name itself may have all the bytes that a name may have. */
function hiddenName(segments: readonly Buffer[]): string {
  const digest = createHash("sha256");
  for (const segment of segments) digest.update(segment).update("/");
  return `.exhibit-${digest.digest("hex").slice(0, 16)}`;
}

async function openPartial(partial: Buffer, keepBytes: number): Promise<FileHandle> {
  const handle = await open(partial, writePartial, 0o600);
  try {
    await handle.truncate(keepBytes);
    return handle;
  } catch (error) {
    await handle.close();
    throw error;
  }
}

interface WrittenFile {
  readonly name: string;
  readonly folder: Buffer;
  readonly partial: Buffer;
  readonly finished: Buffer;
  /** Lets others write the partial file. */
  readonly release: ReleaseLock;
}

function writer(handle: FileHandle, from: number, file: WrittenFile): DestinationWriter {
  let position = from;
  let open = true;
  const closeHandle = async (): Promise<void> => {
    if (open) await handle.close();
    open = false;
  };
  return {
    close: async () => {
      try {
        await closeHandle();
      } finally {
        file.release();
      }
    },
    append: (bytes) =>
      inWords(file.name, async () => {
        for (let written = 0; written < bytes.length;) {
          const { bytesWritten } = await handle.write(
            bytes,
            written,
            bytes.length - written,
            position,
          );
          written += bytesWritten;
          position += bytesWritten;
        }
      }),
    finish: (modifiedAt) =>
      inWords(file.name, async () => {
        await handle.utimes(modifiedAt, modifiedAt);
        await handle.sync();
        await closeHandle();
        await publish(file);
      }),
  };
}

async function publish({ name, folder, partial, finished }: WrittenFile): Promise<void> {
  try {
    await link(partial, finished);
    await unlink(partial);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? "";
    if (code === "EEXIST") throw exists(name);
    if (!noHardLinks.has(code)) throw error;
    if ((await fileAt(finished, name)) !== undefined) throw exists(name);
    await outwaitingScanners(() => rename(partial, finished));
  }
  if (process.platform === "win32") return;
  const handle = await open(folder, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Makes the folders one by one, and goes through no link, which could lead elsewhere. */
async function makeFolders(root: Buffer, folders: readonly Buffer[]): Promise<void> {
  await mkdir(root, { recursive: true });
  let folder = root;
  for (const name of folders) {
    folder = inside(folder, name);
    await mkdir(folder).catch((error: unknown) => {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    });
    if (!(await lstat(folder)).isDirectory()) {
      throw new ExhibitError(
        "conflict.exists",
        `${folder.toString("utf8")} is in the way: it is no folder.`,
        { hint: "Download into an empty folder." },
      );
    }
  }
}

async function fileAt(absolute: Buffer, name: string): Promise<Stats | undefined> {
  try {
    const stat = await lstat(absolute);
    if (stat.isFile()) return stat;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ENOTDIR") return undefined;
    throw unwritable(name, error);
  }
  throw exists(name);
}

function exists(name: string): ExhibitError {
  return new ExhibitError("conflict.exists", `Something else is at ${name} already.`, {
    hint: "Nothing was overwritten. Download into another folder.",
  });
}

function locked(name: string): ExhibitError {
  return new ExhibitError("conflict.locked", `Another download is writing ${name} here.`, {
    hint: "Let it finish, then run the same command again; or download into another folder.",
  });
}

async function inWords<Result>(name: string, writing: () => Promise<Result>): Promise<Result> {
  try {
    return await writing();
  } catch (error) {
    throw error instanceof ExhibitError ? error : unwritable(name, error);
  }
}

function unwritable(name: string, cause: unknown): ExhibitError {
  const { code = "", message } = cause as NodeJS.ErrnoException;
  if (diskFull.has(code)) {
    return new ExhibitError("unavailable.no-space", `The disk is full; ${name} is not complete.`, {
      hint: "Free some space, then run the same command again: it goes on where it was.",
      cause,
    });
  }
  return new ExhibitError("unavailable.source", `${name} cannot be written here (${message}).`, {
    hint: "Download into a folder that you may write to.",
    cause,
  });
}
