import { mkdir, readFile } from "node:fs/promises";
import path from "node:path";
import { z } from "zod";
import { ExhibitError } from "../evidence/errors.ts";
import { replaceFile } from "./atomic-file.ts";
import { takeLock } from "./file-lock.ts";

const fileSchema = z.object({
  schema: z.literal("exhibit.store-checks/1"),
  /** What was found, by the store's URL: two names for one URL share it. */
  stores: z.record(z.string(), z.unknown()),
});

/** Stores change, and so do the rules of a bucket: after this long, what was found is old. */
const goodForMs = 30 * 24 * 60 * 60 * 1000;

export function isOld(checkedAt: string, now: Date): boolean {
  return Date.parse(checkedAt) <= now.getTime() - goodForMs;
}

/**
 * What checks found out about stores, in a file beside the configuration. It can be found out again: what is damaged, or was
 * written by a version that saw other things, counts as not there.
 */
export class KeptChecks<Found> {
  readonly #file: string;
  readonly #schema: z.ZodType<Found>;

  constructor(file: string, schema: z.ZodType<Found>) {
    this.#file = file;
    this.#schema = schema;
  }

  /** What was found at this URL; undefined where nothing was, or nothing that can still be used. */
  async find(url: string): Promise<Found | undefined> {
    return this.#schema.safeParse((await this.#read())[url]).data;
  }

  /** @throws ExhibitError `conflict.locked` where another program holds the file for seconds */
  async keep(url: string, found: Found): Promise<void> {
    await mkdir(path.dirname(this.#file), { recursive: true, mode: 0o700 });
    const release = await takeLock(`${this.#file}.lock`, 5000);
    if (release === undefined) {
      throw new ExhibitError("conflict.locked", "Another program is changing the configuration.", {
        hint: "Try again in a moment.",
      });
    }
    try {
      const stores = { ...(await this.#read()), [url]: found };
      const document = { schema: "exhibit.store-checks/1", stores };
      await replaceFile(this.#file, `${JSON.stringify(document, null, 2)}\n`);
    } finally {
      release();
    }
  }

  async #read(): Promise<Readonly<Record<string, unknown>>> {
    try {
      return fileSchema.parse(JSON.parse(await readFile(this.#file, "utf8"))).stores;
    } catch {
      return {};
    }
  }
}
