import { readFile } from "node:fs/promises";
import { text } from "node:stream/consumers";
import type { z } from "zod";
import { ExhibitError } from "../evidence/errors.ts";
import type { Terminal } from "./ui/terminal.ts";

/** What commander made of the command line: arguments in order, options by their long names in camel case. */
export interface Typed {
  readonly args: readonly unknown[];
  readonly options: Readonly<Record<string, unknown>>;
}

/**
 * Checks what was typed, once, and gives it its types.
 *
 * @throws ExhibitError `usage.invalid`, naming the flag, or `usage.missing` where it was left out
 */
export function parseOptions<Output>(schema: z.ZodType<Output>, typed: Typed): Output {
  const parsed = schema.safeParse(typed.options);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const name = issue?.path[0];
  const flag = typeof name === "string" ? flagOf(name) : "The command line";
  if (typeof name === "string" && typed.options[name] === undefined) {
    throw missing(flag);
  }
  throw new ExhibitError("usage.invalid", `${flag} ${issue?.message ?? "is not right"}.`);
}

/** `recordedFrom` is typed as `--recorded-from`. */
export function flagOf(name: string): string {
  return `--${name.replace(/[A-Z]/g, (capital) => `-${capital.toLowerCase()}`)}`;
}

/** The failure for a flag or argument that nobody gave. */
export function missing(what: string): ExhibitError {
  return new ExhibitError("usage.missing", `${what} is missing.`, {
    hint: "See --help behind the command.",
  });
}

/** A value against its schema, told by the flag it came with. @throws ExhibitError `usage.invalid` */
export function checkedFlag<Output>(
  schema: z.ZodType<Output>,
  value: unknown,
  flag: string,
): Output {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw new ExhibitError(
    "usage.invalid",
    `${flag} ${parsed.error.issues[0]?.message ?? "is not right"}.`,
  );
}

/** What is wrong with a value by its schema, in words; undefined when nothing is. For prompts. */
export function problemWith(schema: z.ZodType): (value: string) => string | undefined {
  return (value) => {
    const issue = schema.safeParse(value).error?.issues[0];
    return issue === undefined ? undefined : `This ${issue.message}.`;
  };
}

/** Text from a file, or from stdin for `-`. @throws ExhibitError `not-found.source` */
export async function readGiven(file: string, terminal: Terminal): Promise<string> {
  if (file === "-") return text(terminal.input);
  try {
    return await readFile(file, "utf8");
  } catch (cause) {
    throw new ExhibitError("not-found.source", `${file} cannot be read.`, {
      hint: "Check the path and that you may read it.",
      cause,
    });
  }
}
