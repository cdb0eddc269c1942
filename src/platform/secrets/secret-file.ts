import { mkdir, open } from "node:fs/promises";
import path from "node:path";
import { z } from "zod";
import { ExhibitError } from "../../evidence/errors.ts";
import type { Secrets } from "../../evidence/ports/secrets.ts";
import { replaceFile } from "../atomic-file.ts";
import { takeLock } from "../file-lock.ts";

const keysType = "exhibit.keys/1";
const keysSchema = z.strictObject({
  schema: z.literal(keysType),
  entries: z.record(z.string(), z.string()),
});
type Entries = z.infer<typeof keysSchema>["entries"];

/**
 * Secrets in a file that this user alone can read, made when the first one is kept. Two processes that write at once
 * both get what they wrote.
 *
 * @throws ExhibitError `auth.key-file` when others can read the file, or it is not a key file
 */
export function secretFile(file: string): Secrets {
  return {
    place: `the key file ${file}`,
    async get(name) {
      return (await read(file))[name];
    },
    async set(name, secret) {
      await change(file, (entries) => ({ ...entries, [name]: secret }));
    },
    async delete(name) {
      await change(file, (entries) =>
        Object.fromEntries(Object.entries(entries).filter(([key]) => key !== name)),
      );
    },
  };
}

async function change(file: string, edit: (entries: Entries) => Entries): Promise<void> {
  try {
    await mkdir(path.dirname(file), { recursive: true, mode: 0o700 });
    const release = await takeLock(`${file}.lock`, 5000);
    if (release === undefined) {
      throw keyFileError(file, "is in use by another program", "Try again in a moment.");
    }
    try {
      const document = { schema: keysType, entries: edit(await read(file)) };
      await replaceFile(file, `${JSON.stringify(document, null, 2)}\n`);
    } finally {
      release();
    }
  } catch (cause) {
    if (cause instanceof ExhibitError) throw cause;
    throw keyFileError(file, "cannot be written", "Choose a folder that you may write to.", cause);
  }
}

async function read(file: string): Promise<Entries> {
  const text = await readPrivate(file);
  if (text === undefined) return {};
  const parsed = keysSchema.safeParse(parseJson(text));
  if (!parsed.success) {
    throw keyFileError(
      file,
      "is not a key file",
      "Name another file; a new one is made when it is absent.",
    );
  }
  return parsed.data.entries;
}

async function readPrivate(file: string): Promise<string | undefined> {
  let handle;
  try {
    handle = await open(file, "r");
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw keyFileError(file, "cannot be read", "Check that you may read it.", cause);
  }
  try {
    const { mode } = await handle.stat();
    if (process.platform !== "win32" && (mode & 0o077) !== 0) {
      throw keyFileError(
        file,
        "can be read by other people on this computer",
        `Make it yours alone: chmod 600 ${file}. If others may have seen it, log out and enrol again.`,
      );
    }
    return await handle.readFile("utf8");
  } finally {
    await handle.close();
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

function keyFileError(file: string, what: string, hint: string, cause?: unknown): ExhibitError {
  return new ExhibitError("auth.key-file", `The key file ${file} ${what}.`, { hint, cause });
}
