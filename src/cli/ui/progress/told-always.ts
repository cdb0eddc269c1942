import type { TransferEvent } from "../../../evidence/progress.ts";
import type { Terminal } from "../terminal.ts";
import { visible } from "../visible.ts";

/**
 * Says what must be said in whatever form progress is shown, or not shown: the digest of a file that is fixed before it is sent, and
 * whether all will have arrived in time. Of other events nothing.
 *
 * @returns whether it was such an event
 */
export function toldAlways(terminal: Terminal, json: boolean, event: TransferEvent): boolean {
  if (event.type !== "file-hashed" && event.type !== "needed-by") return false;
  terminal.error.write(`${json ? JSON.stringify(event) : wordsOf(event)}\n`);
  return true;
}

function wordsOf(event: Extract<TransferEvent, { type: "file-hashed" | "needed-by" }>): string {
  if (event.type === "file-hashed") return `${event.sha256}  ${visible(event.path)}`;
  const { neededBy, arrivesAt, isLate } = event;
  const arrives =
    arrivesAt === undefined ? "in more than a fortnight" : `at about ${clock(arrivesAt, neededBy)}`;
  const when = clock(neededBy, arrivesAt ?? neededBy);
  if (!isLate) return `All will arrive ${arrives}, in time for ${when}.`;
  return (
    `All will arrive ${arrives}, which is after ${when}. ` +
    "Raise the limit (--bwlimit), take another line, or stop here and send the most important file first: what has arrived is kept."
  );
}

/** By this computer's clock; with its day where the other is on another day. */
function clock(instant: string, other: string): string {
  const [one, two] = [new Date(instant), new Date(other)];
  const time = one.toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit" });
  return one.toDateString() === two.toDateString() &&
    one.toDateString() === new Date().toDateString()
    ? time
    : `${one.toLocaleDateString("en-GB", { day: "numeric", month: "long" })}, ${time}`;
}
