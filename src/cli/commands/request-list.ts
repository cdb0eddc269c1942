import { listRequests } from "../../app/requests.ts";
import { atStore } from "../at-store.ts";
import type { Context } from "../context.ts";
import { wantsJson, withClient } from "../given.ts";
import type { Typed } from "../input.ts";
import { note, printResult, table, toTheSecond } from "../ui/result.ts";

/** `exhibit request list`. */
export async function run(context: Context, typed: Typed): Promise<undefined> {
  const { terminal, signal } = context;
  const json = wantsJson(typed);
  const { requests } = await withClient(context, typed, (client, settings) =>
    listRequests(client, atStore(settings), signal),
  );
  printResult(terminal, json, { schema: "exhibit.requests/1", requests }, (theme) =>
    table(
      ["REQUEST", "STATE", "CASE", "UNTIL", "ADDRESS"],
      requests.map(({ id, state, case: caseRef, expiresAt, url }) => [
        id,
        state,
        caseRef,
        expiresAt === undefined ? "-" : toTheSecond(expiresAt),
        url,
      ]),
      { heading: terminal.outputIsTerminal && requests.length > 0, theme },
    ),
  );
  if (requests.length === 0 && terminal.outputIsTerminal)
    note(terminal, json, "Nobody is asked for files.");
}
