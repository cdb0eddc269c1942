import path from "node:path";
import { ExhibitError } from "../../evidence/errors.ts";
import type { Source, SourceEntry } from "../../evidence/ports/source.ts";
import { columnSchema, type Column } from "../csv/columns.ts";
import { readRow, type RowAsks, type RowRules } from "../csv/row-asks.ts";
import { readList } from "../csv/rows.ts";

export type SidecarForm = "json" | "csv" | "none";

/** What a sidecar says of its file. */
export type SidecarSays = Pick<RowAsks, "said" | "sourceId">;

/** Larger ones are no sidecars. */
const mostBytes = 1024 * 1024;

/** The files of one look that say something about others. */
export interface Sidecars {
  readonly source: Source;
  readonly form: SidecarForm;
  readonly columns: Partial<Record<Column, string>>;
  readonly rules: Omit<RowRules, "folder">;
}

/** Whether a file is there to say something of others, and no evidence itself. */
export function isSidecar(form: SidecarForm, location: string): boolean {
  return form !== "none" && location.toLowerCase().endsWith(`.${form}`);
}

/** The sidecars that may be about a file, of those that are there: its own two names in JSON, or every list of its folder in CSV. */
export function sidecarsOf(
  form: SidecarForm,
  { location }: SourceEntry,
  there: readonly SourceEntry[],
): readonly SourceEntry[] {
  const { dir, name } = path.parse(location);
  const own = [`${location}.json`, path.join(dir, `${name}.json`)].map((one) => one.toLowerCase());
  return there.filter((entry) =>
    form === "json"
      ? own.includes(entry.location.toLowerCase())
      : isSidecar(form, entry.location) && path.dirname(entry.location) === dir,
  );
}

/**
 * What sidecars say of a file; undefined where none of them says anything of it yet.
 *
 * @throws ExhibitError `usage.invalid` for what cannot be understood, with all that is wrong; `unavailable.source`
 */
export async function readSidecars(
  sidecars: Sidecars,
  file: SourceEntry,
  candidates: readonly SourceEntry[],
): Promise<SidecarSays | undefined> {
  const name = path.basename(file.location);
  for (const { location } of candidates) {
    const cells =
      sidecars.form === "json"
        ? await jsonCells(sidecars, location)
        : await csvCells(sidecars, location, name);
    if (cells === undefined) continue;
    const row = { number: 1, cells: new Map(cells).set("file", name), isTooLong: false };
    const read = readRow(row, { ...sidecars.rules, folder: path.dirname(file.location) });
    if ("asks" in read) return read.asks;
    throw new ExhibitError(
      "usage.invalid",
      `${path.basename(location)}: ${read.wrong.map(({ message }) => message).join(" ")}`,
      { hint: "Put the sidecar right: the file is taken as soon as it is." },
    );
  }
  return undefined;
}

async function csvCells(
  { source, columns }: Sidecars,
  location: string,
  name: string,
): Promise<ReadonlyMap<Column, string> | undefined> {
  return readList(source, location, columns, async ({ rows }) => {
    for await (const { cells } of rows) {
      if (path.basename(cells.get("file") ?? "") === name) return cells;
    }
    return undefined;
  });
}

/** The members of a JSON object, by our names for them; texts and numbers only. */
async function jsonCells(
  { source, columns }: Sidecars,
  location: string,
): Promise<ReadonlyMap<Column, string>> {
  const file = await source.open(location);
  try {
    if (file.stat.sizeBytes > mostBytes) throw noObject(location, undefined);
    const bytes = Buffer.alloc(file.stat.sizeBytes);
    const filled = await file.read(bytes, 0);
    const document = parsed(bytes.subarray(0, filled), location);
    const cells = new Map<Column, string>();
    for (const column of columnSchema.options) {
      const value = document[columns[column] ?? column];
      if (typeof value === "string" && value.trim() !== "") cells.set(column, value.trim());
      else if (typeof value === "number") cells.set(column, String(value));
    }
    return cells;
  } finally {
    await file.close();
  }
}

function parsed(bytes: Buffer, location: string): Readonly<Record<string, unknown>> {
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    const document: unknown = JSON.parse(text);
    if (typeof document === "object" && document !== null && !Array.isArray(document)) {
      return document as Record<string, unknown>;
    }
  } catch (cause) {
    throw noObject(location, cause);
  }
  throw noObject(location, undefined);
}

function noObject(location: string, cause: unknown): ExhibitError {
  return new ExhibitError("usage.invalid", `${path.basename(location)} is no JSON object.`, {
    hint: 'Write {"case": "CAD/1234", "title": "…"} in UTF-8: the file is taken as soon as it is right.',
    ...(cause === undefined ? {} : { cause }),
  });
}
