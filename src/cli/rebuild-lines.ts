import { z } from "zod";
import { formatAddress } from "../evidence/address.ts";
import type { Context, RebuildRequest, RebuiltIndex } from "./context.ts";
import { missing, parseOptions, type Typed } from "./input.ts";
import { wantsJson } from "./given.ts";
import { note, printResult, warn } from "./ui/result.ts";

const optionsSchema = z.object({
  rebuildIndex: z.boolean().default(false),
  formerKey: z.array(z.string()).default([]),
});

/** How often the count is told, in ms. */
const everyMs = 2000;

/** What was typed about rebuilding the index; it tells how far it is, and what is left out, on stderr. */
export function rebuildAsked(context: Context, typed: Typed): RebuildRequest | undefined {
  const { rebuildIndex, formerKey } = parseOptions(optionsSchema, typed);
  if (!rebuildIndex && formerKey.length > 0) throw missing("--rebuild-index");
  if (!rebuildIndex) return undefined;
  const { terminal } = context;
  const json = wantsJson(typed);
  let told = Date.now();
  return {
    formerKeys: formerKey,
    onNotIndexed: ({ error, ...exhibit }) => {
      const { code, message, hint } = error;
      if (json) {
        const line = { type: "not-indexed", ...exhibit, code, message };
        terminal.error.write(`${JSON.stringify(line)}\n`);
      } else {
        const advice = hint === undefined ? "" : ` ${hint}`;
        warn(terminal, `${formatAddress(exhibit)} was left out (${code}): ${message}${advice}`);
      }
    },
    onProgress: (looked) => {
      if (Date.now() - told < everyMs) return;
      told = Date.now();
      const line = { type: "progress", looked };
      if (json) terminal.error.write(`${JSON.stringify(line)}\n`);
      else note(terminal, false, `Looked at ${looked} exhibits`);
    },
  };
}

/** Says what was found. */
export function tellRebuilt({ terminal }: Context, json: boolean, rebuilt: RebuiltIndex): void {
  const { looked, added, finished, present, unsealed, notIndexed } = rebuilt;
  const document = { schema: "exhibit.serve/1", type: "index-rebuilt", ...rebuilt };
  printResult(terminal, json, document, () => [
    `Looked at ${looked} exhibits: ${added} added, ${finished} finished, ${present} there already, ${unsealed} never sealed, ${notIndexed} left out`,
  ]);
  note(
    terminal,
    json,
    "The bytes of the files were not read: exhibit verify does that.",
    "Identities, invitations, shares and access logs are not in the content: what the database did not have of them is gone.",
  );
}
