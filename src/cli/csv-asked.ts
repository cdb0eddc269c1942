import path from "node:path";
import { columnSchema, type Column } from "../app/csv/columns.ts";
import { ExhibitError } from "../evidence/errors.ts";
import { requireTimeZone } from "../evidence/wall-clock.ts";
import type { Context } from "./context.ts";
import { flagOf, type Typed } from "./input.ts";
import { askedFor, type Asked } from "./upload-asked.ts";

/** What a list says itself, row by row, or what is about one exhibit only. */
const notWithList = [
  ...["ref", "sourceId", "oneExhibit", "supersedes", "receipt", "recordedFrom", "recordedTo"],
  ...["include", "exclude", "newerThan", "filesFrom", "from0"],
];

/** What `upload --csv` asks for. @throws ExhibitError `usage.*` */
export async function csvAsked(context: Context, typed: Typed): Promise<Asked> {
  const { args, options } = typed;
  const refused = notWithList.find((name) => options[name] !== undefined);
  if (refused !== undefined || (args[0] as readonly string[]).length > 0) {
    const what = refused === undefined ? "A path" : flagOf(refused);
    throw new ExhibitError("usage.invalid", `${what} does not go with --csv.`, {
      hint: "The list names the files, and what is special about each.",
    });
  }
  const file = options["csv"] as string;
  if (file === "-") {
    throw new ExhibitError("usage.invalid", "--csv takes no list from stdin.", {
      hint: "Every row is checked before the first is sent, so the list is read twice: save it as a file.",
    });
  }
  const { timeZone, ...others } = options;
  const zone = timeZone as string | undefined;
  if (zone !== undefined) requireTimeZone(zone);
  const caseRef = options["case"] as string | undefined;
  const title = options["title"] as string | undefined;
  const asked = await askedFor(
    context,
    { args, options: others },
    { paths: [file], case: caseRef, title },
  );
  return {
    ...asked,
    paths: [path.resolve(file)],
    rows: {
      columns: mappedColumns((options["map"] ?? []) as readonly string[]),
      timeZone: zone ?? Intl.DateTimeFormat().resolvedOptions().timeZone,
    },
  };
}

/** Columns by our names, of `file=Recording path,case=CAD No`; a name of theirs may hold commas. */
export function mappedColumns(maps: readonly string[]): Partial<Record<Column, string>> {
  const names = columnSchema.options.join("|");
  const pairs = maps.flatMap((map) => map.split(new RegExp(`,(?=\\s*(?:${names})\\s*=)`)));
  const mapped: Partial<Record<Column, string>> = {};
  for (const pair of pairs) {
    const at = pair.indexOf("=");
    const ours = columnSchema.safeParse(pair.slice(0, at).trim());
    const theirs = pair.slice(at + 1).trim();
    if (at < 0 || !ours.success || theirs === "") {
      throw new ExhibitError("usage.invalid", `--map cannot be understood: "${pair}".`, {
        hint: `Write our column, then theirs: --map "file=Recording path,case=CAD No". Ours are: ${columnSchema.options.join(", ")}.`,
      });
    }
    if (mapped[ours.data] !== undefined) {
      throw new ExhibitError("usage.invalid", `--map names the column ${ours.data} twice.`);
    }
    mapped[ours.data] = theirs;
  }
  return mapped;
}
