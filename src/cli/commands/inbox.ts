import { inbox } from "../../app/inbox.ts";
import type { Arrival } from "../../evidence/arrival.ts";
import { formatAddress } from "../../evidence/address.ts";
import { counted, formatSize } from "../../evidence/quantities.ts";
import { atStore } from "../at-store.ts";
import type { Context } from "../context.ts";
import { wantsJson, withClient } from "../given.ts";
import type { Typed } from "../input.ts";
import { sinceGiven } from "../moments.ts";
import { note, toTheSecond } from "../ui/result.ts";
import { visible } from "../ui/visible.ts";
import { written } from "../ui/written.ts";

/** `exhibit inbox`. */
export async function run(context: Context, typed: Typed): Promise<undefined> {
  const { terminal, signal } = context;
  const json = wantsJson(typed);
  const caseRef = typed.options["case"] as string | undefined;
  const since = typed.options["since"] as string | undefined;
  const follow = typed.options["follow"] === true;
  let told = 0;
  const onArrival = (arrival: Arrival): Promise<boolean> => {
    told += 1;
    const line = json
      ? JSON.stringify({ schema: "exhibit.arrival/1", ...arrival })
      : words(arrival);
    return written(terminal.output, `${line}\n`);
  };
  const asked = {
    ...(caseRef === undefined ? {} : { case: caseRef }),
    ...(since === undefined ? {} : { since: sinceGiven(since, "--since") }),
    follow,
    onArrival,
  };
  if (follow) note(terminal, json, "Telling what lands in your cases. Ctrl-C stops.");
  await withClient(context, typed, (client, settings) =>
    inbox(client, { ...atStore(settings), ...asked }, signal),
  );
  if (told === 0)
    note(
      terminal,
      json,
      "Nothing new has landed in your cases. Follow one: exhibit case follow CASE.",
    );
}

function words(arrival: Arrival): string {
  const { sealedAt, from, files, sizeBytes, title } = arrival;
  const content = `${counted(files, "file")}, ${formatSize(sizeBytes)}`;
  const cells = [
    toTheSecond(sealedAt),
    formatAddress(arrival),
    content,
    from.organisation ?? from.id,
  ];
  return [...cells, ...(title === undefined ? [] : [title])].map(visible).join("  ");
}
