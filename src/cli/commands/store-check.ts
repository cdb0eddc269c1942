import { checkStore } from "../../app/check-store.ts";
import type { LeftBehind, Outcome } from "../../evidence/ports/store-probe.ts";
import { formatSize } from "../../evidence/quantities.ts";
import type { Context } from "../context.ts";
import { wantsJson, withClient } from "../given.ts";
import type { Typed } from "../input.ts";
import { storeGiven } from "../store-given.ts";
import { facts, printResult, table, toTheSecond, warn } from "../ui/result.ts";
import { spin } from "../ui/spinner.ts";

const words: Readonly<Record<Outcome, string>> = {
  enforced: "enforced",
  works: "works",
  ignored: "accepted and ignored",
  refused: "refused",
  denied: "not permitted",
  absent: "not set up",
  untested: "not tested",
};

/** `exhibit store check [NAME]`. */
export async function run(context: Context, typed: Typed): Promise<undefined> {
  const { terminal, signal } = context;
  const json = wantsJson(typed);
  const checked = await withClient(context, typed, (client, settings) =>
    spin(terminal, json, "Trying the store out", () =>
      checkStore(client, storeGiven(typed, settings), signal, (left) => {
        warn(terminal, leftWords(left));
      }),
    ),
  );
  const { name, url, checkedAt, proof, freeBytes, findings } = checked;
  printResult(terminal, json, { schema: "exhibit.store-check/1", ...checked }, (theme) => [
    ...table(
      ["CHECKED", "FOUND", ""],
      findings.map(({ what, outcome, detail }) => [what, words[outcome], detail ?? ""]),
      { heading: terminal.outputIsTerminal, theme },
    ),
    "",
    ...facts(
      [
        ["Store", `${name}, ${url}`],
        ["Checked", toTheSecond(checkedAt)],
        ["Proof", proof],
        ["Free", freeBytes === undefined ? undefined : formatSize(freeBytes)],
      ],
      theme,
    ),
  ]);
}

/** Which: they all lie in one folder, and the last lock decides. */
function leftWords(left: readonly LeftBehind[]): string {
  const folder = left[0]?.key.replace(/[^/]*$/, "") ?? "";
  const [until] = left
    .flatMap(({ lockedUntil }) => lockedUntil ?? [])
    .sort()
    .reverse();
  const when = until === undefined ? "" : `, some of it locked until ${until}`;
  return `The check could not remove all that it wrote: ${left.length} left below ${folder}${when}. Remove them when you can.`;
}
