import { createHash, type Hash } from "node:crypto";
import { createReadStream } from "node:fs";
import { open, readFile, rename, rm, stat, type FileHandle } from "node:fs/promises";
import path from "node:path";
import { z } from "zod";
import { sha256Hex } from "../../evidence/digest.ts";
import { ExhibitError } from "../../evidence/errors.ts";
import { fetchedSchema } from "../../evidence/fetched.ts";
import { outwaitingScanners } from "../../evidence/held-files.ts";
import { replaceFile } from "../atomic-file.ts";
import { takePassingLock } from "../file-lock.ts";
import { makeStateFolder } from "../state-folder.ts";

/** What is known of a link's answer, beside its bytes. */
export const spooledSchema = z.strictObject({
  name: z.string().min(1),
  fetched: fetchedSchema,
  /** What the answer announced, where it did. */
  announcedBytes: z.number().int().nonnegative().optional(),
  /** Of the whole, once it is here. */
  sha256: sha256Hex.optional(),
});
export type Spooled = z.infer<typeof spooledSchema>;

const partName = "content.part";
const contentName = "content";
const factsName = "facts.json";

/** The files of what a link brought, by the folder that they lie in. */
export function spoolFiles(folder: string): { readonly content: string; readonly facts: string } {
  return { content: path.join(folder, contentName), facts: path.join(folder, factsName) };
}

/** @returns undefined where there is none, or none that can be read any more */
export async function readSpooled(folder: string): Promise<Spooled | undefined> {
  try {
    return spooledSchema.parse(JSON.parse(await readFile(spoolFiles(folder).facts, "utf8")));
  } catch {
    return undefined;
  }
}

/** A folder of this computer's state in which a link's bytes lie while they come in, for this user and one command alone. */
export class Spool {
  readonly folder: string;
  readonly #release: () => void;
  #handle: FileHandle | undefined;
  #hash: Hash = createHash("sha256");
  #bytes = 0;

  private constructor(folder: string, release: () => void) {
    this.folder = folder;
    this.#release = release;
  }

  /** @throws ExhibitError `conflict.locked`, `unavailable.no-space` */
  static open(folder: string): Spool {
    makeStateFolder(folder);
    const release = takePassingLock(`${folder}.lock`);
    if (release !== undefined) return new Spool(folder, release);
    throw new ExhibitError("conflict.locked", "Another command is fetching this very link.", {
      hint: "Let it finish, or end it if it hangs; then try again.",
    });
  }

  get bytes(): number {
    return this.#bytes;
  }

  sha256(): string {
    return this.#hash.copy().digest("hex");
  }

  /** Takes up what an earlier run has left: its bytes are hashed again. */
  async takeUp(signal: AbortSignal): Promise<void> {
    await this.restart();
    const file = path.join(this.folder, partName);
    for await (const bytes of createReadStream(file) as AsyncIterable<Buffer>) {
      signal.throwIfAborted();
      this.#hash.update(bytes);
      this.#bytes += bytes.length;
    }
  }

  async hasPart(): Promise<boolean> {
    return (await stat(path.join(this.folder, partName)).catch(() => undefined))?.isFile() === true;
  }

  /** Begins anew; the file keeps what it has until {@link cut}. */
  async restart(): Promise<void> {
    this.#hash = createHash("sha256");
    this.#bytes = 0;
    this.#handle ??= await open(path.join(this.folder, partName), "a", 0o600);
  }

  async cut(): Promise<void> {
    await this.restart();
    await this.#handle?.truncate(0);
  }

  async append(bytes: Buffer): Promise<void> {
    try {
      await this.#handle?.appendFile(bytes);
    } catch (cause) {
      const { code } = cause as NodeJS.ErrnoException;
      if (code !== "ENOSPC" && code !== "EDQUOT") throw cause;
      throw new ExhibitError("unavailable.no-space", "This computer's disk is full.", {
        hint: "Make room where the state folder lies, or set EXHIBIT_STATE_DIR, and run the same command again.",
        cause,
      });
    }
    this.#hash.update(bytes);
    this.#bytes += bytes.length;
  }

  keepFacts(facts: Spooled): Promise<void> {
    return replaceFile(spoolFiles(this.folder).facts, `${JSON.stringify(facts)}\n`);
  }

  /** All is here: the bytes have their name from now on. */
  async finish(facts: Spooled): Promise<void> {
    await this.#handle?.sync();
    const { content } = spoolFiles(this.folder);
    await outwaitingScanners(() => rename(path.join(this.folder, partName), content));
    // Said last: content of which nothing is said is fetched anew, but nothing can be said of content that is not there.
    await this.keepFacts({ ...facts, sha256: this.sha256() });
  }

  async close(): Promise<void> {
    await this.#handle?.close();
    this.#handle = undefined;
    this.#release();
  }

  async discard(): Promise<void> {
    await rm(this.folder, { recursive: true, force: true });
  }
}
