import path from "node:path";
import { flagOf, type Typed } from "./input.ts";

/** Options that name a place of this machine. */
const places = new Set(["keyFile", "caFile", "report"]);

/**
 * What was typed as a service is to be given it: every option by its name, as `--name=value`, so that no value is taken for something
 * else, and paths absolute. Words of the command and its arguments come first.
 */
export function serviceArgv(
  words: readonly string[],
  { options }: Typed,
  without: readonly string[],
): string[] {
  const flags = Object.entries(options).flatMap(([name, value]) => {
    if (without.includes(name) || value === undefined || value === false) return [];
    if (value === true) return [flagOf(name)];
    const values = Array.isArray(value) ? (value as readonly string[]) : [value as string];
    return values.map((one) => `${flagOf(name)}=${placed(name, one)}`);
  });
  return [...words, ...flags];
}

function placed(name: string, value: string): string {
  if (places.has(name)) return path.resolve(value);
  const [, target] = (name === "after" ? /^move=(.+)$/.exec(value) : null) ?? [];
  return target === undefined ? value : `move=${path.resolve(target)}`;
}
