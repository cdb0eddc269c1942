import { custodyLog } from "../../app/custody-log.ts";
import { formatAddress } from "../../evidence/address.ts";
import { atStore } from "../at-store.ts";
import type { Context } from "../context.ts";
import { exitCodeOf } from "../exit.ts";
import { wantsJson, withClient } from "../given.ts";
import type { Typed } from "../input.ts";
import { note, printResult, table, toTheSecond } from "../ui/result.ts";
import { themeFor } from "../ui/theme.ts";

/** `exhibit log EXHIBIT`. */
export async function run(context: Context, typed: Typed): Promise<number | undefined> {
  const { terminal } = context;
  const json = wantsJson(typed);
  const exhibit = String(typed.args[0]);
  const log = await withClient(context, typed, (client, settings) =>
    custodyLog(client, { ...atStore(settings), exhibit }, context.signal),
  );
  const { entry, events, head, vouchedLines, notes } = log;
  const document = {
    schema: "exhibit.custody-log/1",
    id: entry.id,
    case: entry.case,
    reference: entry.reference,
    head,
    vouchedLines,
    notes,
    events,
  };
  printResult(terminal, json, document, (theme) =>
    table(
      ["NO", "WHEN", "WHAT", "BY", "FACTS"],
      events.map((event) => [
        event.seq.toString(),
        toTheSecond(event.at),
        event.verb,
        event.actor,
        Object.entries(event.facts)
          // What was signed is for machines: it is in --json.
          .filter(([name]) => name !== "sealed")
          .map(([name, value]) => `${name}=${value}`)
          .join(" "),
      ]),
      { heading: terminal.outputIsTerminal, theme },
    ),
  );
  const theme = themeFor(terminal.color);
  const vouched =
    vouchedLines === undefined
      ? "not sealed yet, so no receipt vouches for it"
      : `the receipt vouches for its first ${vouchedLines}`;
  note(
    terminal,
    json,
    `${theme.good("✔")} ${theme.strong(formatAddress(entry))}  ${head.lines} lines, the chain is whole; ${vouched}`,
  );
  if (notes.checked > 0) {
    note(terminal, json, `Notes by recipients: ${notes.checked}, as the server signed them.`);
  }
  if (notes.byUnknownKey === 0) return undefined;
  const many = notes.byUnknownKey;
  note(
    terminal,
    json,
    `${theme.bad("failed:")} ${many === 1 ? "1 note was" : `${many} notes were`} signed with a key that was not the server's when left. Do not rely on ${many === 1 ? "it" : "them"}, and tell your administrator.`,
  );
  return exitCodeOf("integrity.signature");
}
