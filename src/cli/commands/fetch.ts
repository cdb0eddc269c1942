import { fetchLink, type FetchResult } from "../../app/fetch.ts";
import { formatAddress } from "../../evidence/address.ts";
import { caseSchema } from "../../evidence/case.ts";
import { ExhibitError } from "../../evidence/errors.ts";
import { formatSize, parseSize } from "../../evidence/quantities.ts";
import { atStore } from "../at-store.ts";
import type { Context, Settings } from "../context.ts";
import { wantsJson, withTransfer } from "../given.ts";
import { checkedFlag, missing, readGiven, type Typed } from "../input.ts";
import { stoppable } from "../interrupted.ts";
import { recordFields } from "../record-fields.ts";
import { note, printResult } from "../ui/result.ts";
import { visible } from "../ui/visible.ts";

/** `exhibit fetch URL|-`. */
export async function run(context: Context, typed: Typed): Promise<undefined> {
  const { terminal, signal } = context;
  const json = wantsJson(typed);
  if (typed.options["case"] === undefined) throw missing("--case");
  const given = typed.args[0] as string;
  const link = linkOf(given === "-" ? await readGiven("-", terminal) : given);
  const mostBytes = parseSize(String(typed.options["maxSize"]), "--max-size");
  const exhibit = exhibitOf(typed);
  const result = await withTransfer(context, typed, "Fetching", (client, settings) =>
    stoppable(signal, "What has arrived is kept. The same command goes on with the rest.", () =>
      fetchLink(
        client,
        { link, mostBytes, exhibit: { ...exhibit, ...of(settings, exhibit) } },
        signal,
      ),
    ),
  );
  const { exhibit: made, arrived } = result;
  printResult(terminal, json, { schema: "exhibit.fetch/1", ...result }, () => [
    `${arrived.sha256}  ${formatAddress(made)}  ${visible(arrived.name)}`,
  ]);
  note(terminal, json, ...words(result));
}

/** @throws ExhibitError `usage.invalid`; the link itself is never part of what is said */
function linkOf(text: string): URL {
  const compact = text.trim();
  const link = URL.canParse(compact) ? new URL(compact) : undefined;
  if (link === undefined || !/^https?:$/.test(link.protocol) || /\s/.test(compact)) {
    throw new ExhibitError("usage.invalid", "That is not a link.", {
      hint: "Give all of it, from https:// on, in quotes; or - and the link on standard input.",
    });
  }
  if (`${link.username}${link.password}` !== "") {
    throw new ExhibitError("usage.invalid", "The link has a name or a password before its host.", {
      hint: "Ask the partner for a link that opens without.",
    });
  }
  // Never sent, so that it cannot matter.
  link.hash = "";
  return link;
}

function exhibitOf({ options }: Typed) {
  const title = options["title"] as string | undefined;
  return {
    case: checkedFlag(caseSchema, options["case"], "--case"),
    ...(title === undefined ? {} : { title }),
    ...recordFields(options),
  };
}

function of(settings: Settings, asked: { readonly initials?: string | undefined }) {
  const { requireProof, concurrency, partBytes } = settings;
  const initials = asked.initials ?? settings.initials;
  return {
    ...atStore(settings),
    ...(initials === undefined ? {} : { initials }),
    ...{ requireProof, concurrency, partBytes },
  };
}

function words({ exhibit, arrived }: FetchResult): string[] {
  const { fetched, sizeBytes, isFromBefore } = arrived;
  const from = `${formatSize(sizeBytes)} from ${fetched.host}`;
  return [
    exhibit.outcome === "already-present"
      ? `The same file was there already: ${formatAddress(exhibit)}.`
      : `${formatAddress(exhibit)}  ${from}, hashed on arrival, stored and proved.`,
    ...(isFromBefore ? [`It had arrived on this computer at ${fetched.fetchedAt}.`] : []),
    ...(fetched.viaProxy === true
      ? [
          "It came through a proxy: the address of the host could not be looked at, and its certificate is not in the record.",
        ]
      : []),
  ];
}
