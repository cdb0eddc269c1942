import type { WatchEvent } from "../../app/watch/watch-event.ts";
import { formatAddress } from "../../evidence/address.ts";
import { formatDuration } from "../../evidence/quantities.ts";
import { failureLines } from "./failure-lines.ts";
import type { Terminal } from "./terminal.ts";
import { visible } from "./visible.ts";

/**
 * How a watched folder is told: a line a file on stdout as soon as it is taken, and all else on stderr. With `json` every event is a
 * line on stdout (docs/formats/watch.md).
 */
export function watchLines(
  terminal: Terminal,
  { json, once }: { readonly json: boolean; readonly once: boolean },
): (event: WatchEvent) => void {
  if (json) {
    return (event) => {
      terminal.output.write(`${JSON.stringify(documentOf(event))}\n`);
    };
  }
  return (event) => {
    // A job that runs every few minutes and has nothing to say says nothing: cron would mail it.
    if (event.type === "watching" && once) return;
    if (event.type === "taken") {
      const sha256 = event.contents[0]?.sha256 ?? "";
      terminal.output.write(`${sha256}  ${formatAddress(event)}  ${visible(event.file)}\n`);
      return;
    }
    for (const line of wordsOf(terminal, event)) terminal.error.write(`${line}\n`);
  };
}

/** Of a file that was taken, what a script needs; the whole receipt lies where it says. */
function documentOf(event: WatchEvent): object {
  const schema = "exhibit.watch/1";
  if (event.type === "failed") {
    const { type, file, code, message, hint } = event;
    return { schema, type, file, code, message, hint };
  }
  if (event.type !== "taken") return { schema, ...event };
  const { type, file, outcome: state, id, case: caseRef, reference, contents } = event;
  const sha256 = contents[0]?.sha256;
  return {
    ...{ schema, type, file, state, id, case: caseRef, reference, sha256 },
    receipt: event.receiptPath,
  };
}

function* wordsOf(
  terminal: Terminal,
  event: Exclude<WatchEvent, { type: "taken" }>,
): Generator<string> {
  switch (event.type) {
    case "watching":
      yield `Watching ${visible(event.folder)}. Ctrl-C stops it.`;
      break;
    case "failed":
      yield* failureLines(terminal, [{ ...event, path: event.file }]);
      break;
    case "waiting":
      yield event.reason === "sidecar"
        ? `${visible(event.file)}: waits for its sidecar.`
        : `${visible(event.file)}: is still being written to; it is taken when that ends.`;
      break;
    case "moved":
      yield `${visible(event.file)}: moved to ${visible(event.to)}.`;
      break;
    case "left-out":
      yield `${visible(event.file)}: not taken, ${visible(event.reason)}`;
      break;
    case "folder-gone":
      yield `${visible(event.message)} Waiting for it to come back.`;
      break;
    case "folder-back":
      yield `${visible(event.folder)} is back.`;
      break;
    case "limited":
      yield `This computer tells of no more folders (its limit ${event.limit} is reached). New files in the others are seen every ${formatDuration(event.seconds)}; to have them seen at once, raise the limit.`;
      break;
    case "trouble":
      yield `${visible(event.message)} Trying again in ${formatDuration(event.seconds)}.`;
      break;
  }
}
