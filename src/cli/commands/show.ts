import { show, type ShowResult } from "../../app/show.ts";
import { formatAddress } from "../../evidence/address.ts";
import type { Fetched } from "../../evidence/fetched.ts";
import { formatSize } from "../../evidence/quantities.ts";
import { atStore } from "../at-store.ts";
import type { Context } from "../context.ts";
import { wantsJson, withClient } from "../given.ts";
import type { Typed } from "../input.ts";
import { keptWords, storeCheckWords } from "../ui/kept-words.ts";
import { facts, printResult, toTheSecond } from "../ui/result.ts";
import type { Theme } from "../ui/theme.ts";
import { visible } from "../ui/visible.ts";

/** `exhibit show EXHIBIT`. */
export async function run(context: Context, typed: Typed): Promise<undefined> {
  const exhibit = String(typed.args[0]);
  const result = await withClient(context, typed, (client, settings) =>
    show(client, { ...atStore(settings), exhibit }, context.signal),
  );
  const { entry, sealed } = result;
  const document = {
    schema: "exhibit.show/1",
    id: entry.id,
    case: entry.case,
    reference: entry.reference,
    state: entry.state,
    reservedAt: entry.reservedAt,
    record: sealed?.record,
    receipt: sealed?.receipt,
  };
  printResult(context.terminal, wantsJson(typed), document, (theme) => lines(result, theme));
}

function lines({ entry, sealed }: ShowResult, theme: Theme): string[] {
  const head = [theme.strong(formatAddress(entry)), ""];
  if (sealed === undefined) {
    const about = facts(
      [
        ["Id", entry.id],
        ["State", "unfinished: not all of it has arrived"],
      ],
      theme,
    );
    return [...head, ...about];
  }
  const { record, receipt } = sealed;
  const { recorded, clockOffset, source } = record;
  const { storeCheck } = receipt;
  const pairs: [string, string | undefined][] = [
    ["Title", record.title],
    ["Id", record.id],
    ["Producer", record.producer],
    ["Officer in the case", record.oic],
    ["Camera", source?.camera],
    ["Recorder", source?.recorder],
    ["System", source?.system],
    [
      "Recorded",
      recorded && `${recorded.from ?? "?"} to ${recorded.to ?? "?"} (${recorded.timeZone})`,
    ],
    [
      "Recorder's clock",
      clockOffset && `${clockOffset.seconds} s ahead of true time, by ${clockOffset.measuredBy}`,
    ],
    ["Source id", record.sourceId],
    ["Collected", record.collectedAt],
    ["Received", receipt.receivedAt],
    ["Supersedes", record.supersedes?.join(", ")],
    ["Signed by", `uploader ${record.uploader.thumbprint}`],
    ["Store enforced", storeCheck && storeCheckWords(storeCheck)],
    ["Receipt by", `${receipt.issuer.kind} ${receipt.issuer.thumbprint}`],
  ];
  const vouched = new Map(receipt.files.map((file) => [file.key, file]));
  return [
    ...head,
    ...facts(pairs, theme),
    "",
    ...record.files.flatMap((file) => {
      const { proof = "none", kept } = vouched.get(file.key) ?? {};
      return [
        `${file.digest.sha256}  ${visible(file.path)}`,
        theme.quiet(
          `  ${formatSize(file.sizeBytes)}, ${file.mediaType}, changed last ${file.modifiedAt}, proof: ${proof}`,
        ),
        ...(file.fetched === undefined ? [] : [theme.quiet(`  ${fetchedWords(file.fetched)}`)]),
        ...(kept === undefined ? [] : [theme.quiet(`  in the store: ${visible(keptWords(kept))}`)]),
      ];
    }),
  ];
}

function fetchedWords({ url, host, redirects, fetchedAt }: Fetched): string {
  const last = redirects === 0 ? "" : `, sent on to ${host}`;
  return visible(`fetched from ${url}${last}, ${toTheSecond(fetchedAt)}`);
}
