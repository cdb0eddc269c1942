import {
  caseShow,
  type CaseTeller,
  type CaseTotals,
  type ShownExhibit,
  type ShownShare,
} from "../../app/case-show.ts";
import { caseSchema } from "../../evidence/case.ts";
import { counted, formatSize } from "../../evidence/quantities.ts";
import { atStore } from "../at-store.ts";
import type { Context } from "../context.ts";
import { wantsJson, withClient } from "../given.ts";
import { checkedFlag, type Typed } from "../input.ts";
import { momentGiven } from "../moments.ts";
import { note, toTheSecond } from "../ui/result.ts";
import { StreamedDocument } from "../ui/streamed-document.ts";
import { Table } from "../ui/streamed-table.ts";
import type { Terminal } from "../ui/terminal.ts";

/** `exhibit case show CASE`. */
export async function run(context: Context, typed: Typed): Promise<undefined> {
  const { terminal, signal } = context;
  const json = wantsJson(typed);
  const caseRef = checkedFlag(caseSchema, typed.args[0], "The case");
  const day = typed.options["hearing"] as string | undefined;
  const hearing = day === undefined ? undefined : momentGiven(day, "--hearing");
  const about = { case: caseRef, ...(hearing === undefined ? {} : { hearing }) };
  const telling = json ? asDocument(terminal, about) : asTables(terminal);
  const totals = await withClient(context, typed, (client, settings) =>
    caseShow(client, { ...atStore(settings), ...about }, telling, signal),
  );
  await telling.end(totals);
  note(terminal, json, ...words(totals, hearing !== undefined));
}

interface Telling extends CaseTeller {
  end(totals: CaseTotals): Promise<void>;
}

function asDocument(terminal: Terminal, about: Readonly<Record<string, unknown>>): Telling {
  const document = new StreamedDocument(terminal.output, { schema: "exhibit.case/1", ...about });
  document.begin("exhibits");
  let inShares = false;
  const beginShares = (): void => {
    if (inShares) return;
    inShares = true;
    document.endList();
    document.begin("shares");
  };
  return {
    onExhibit: (exhibit) => document.item(exhibit),
    onShare: (share) => {
      beginShares();
      return document.item(share);
    },
    end: (totals) => {
      beginShares();
      document.endList();
      return document.end({ totals });
    },
  };
}

function asTables(terminal: Terminal): Telling {
  const exhibits = new Table(terminal, [
    ...["EXHIBIT", "STATE", "WHEN", "FROM", "FILES", "SIZE", "TITLE", "ENDS"],
  ]);
  const shares = new Table(terminal, [
    ...["SHARE", "STATE", "UNTIL", "ACCESS", "LOOKED", "RECIPIENT", "EXHIBITS", "ENDS"],
  ]);
  return {
    onExhibit: (exhibit) => exhibits.row(exhibitRow(exhibit)),
    onShare: async (share) => {
      await exhibits.end();
      await shares.row(shareRow(share));
    },
    end: async () => {
      await exhibits.end();
      await shares.end();
    },
  };
}

function exhibitRow(exhibit: ShownExhibit): string[] {
  const { reference, state, from, files, sizeBytes, title = "-", uploads = [] } = exhibit;
  const unfinished = uploads.length > 0 ? `uploading (${uploads.length})` : "unfinished";
  return [
    reference,
    state === "sealed" ? "complete" : unfinished,
    toTheSecond(exhibit.sealedAt ?? exhibit.reservedAt),
    from.organisation ?? from.id,
    String(files),
    formatSize(sizeBytes),
    title,
    endsOf(exhibit.endsBeforeHearing),
  ];
}

function shareRow(share: ShownShare): string[] {
  const { id, state, expiresAt, access, looked, recipient, exhibits } = share;
  const times = looked === undefined || looked.times === 1 ? "" : ` (${looked.times} times)`;
  return [
    id,
    state,
    toTheSecond(expiresAt),
    access,
    looked === undefined ? "never" : `${toTheSecond(looked.last)}${times}`,
    recipient.name,
    exhibits.join(" "),
    endsOf(share.endsBeforeHearing),
  ];
}

function endsOf([first]: readonly string[]): string {
  return first === undefined ? "-" : `before the hearing: ${toTheSecond(first)}`;
}

function words(totals: CaseTotals, hasHearing: boolean): string[] {
  const { sealed, open, uploads, files, sizeBytes, shares, neverLooked } = totals;
  const unfinished = open === 0 ? "" : `; ${open} unfinished, with ${counted(uploads, "upload")}`;
  return [
    `${sealed} complete, ${counted(files, "file")}, ${formatSize(sizeBytes)}${unfinished}.`,
    shares === 0
      ? "No shares of yours."
      : `${counted(shares, "share")} of yours; ${neverLooked} of those that are open ${neverLooked === 1 ? "was" : "were"} never looked at.`,
    ...(hasHearing ? [endWords(totals.endBeforeHearing)] : []),
  ];
}

function endWords(number: number): string {
  if (number === 0) return "Nothing ends before the hearing.";
  return `${number} ${number === 1 ? "ends" : "end"} before the hearing.`;
}
