import type { TransferEvent } from "../../../evidence/progress.ts";
import { counted, formatDuration, formatSize } from "../../../evidence/quantities.ts";
import type { Terminal } from "../terminal.ts";
import { visible } from "../visible.ts";
import { clauseOf, type Tally } from "./tally.ts";

/** With more files than this, each one's end is not a line of its own. */
const fewFiles = 25;
const everyMs = 5000;

/** Progress as plain lines, for a log or a screen reader: one when it starts, some on the way, one for each of a few files. */
export class Lines {
  readonly #terminal: Terminal;
  readonly #tally: Tally;
  readonly #started: string;
  readonly #timer: NodeJS.Timeout;
  #lastDone = 0;
  #isBegun = false;

  /** `started` is the verb of the first line: "Sending". */
  constructor(terminal: Terminal, tally: Tally, started: string) {
    this.#terminal = terminal;
    this.#tally = tally;
    this.#started = started;
    this.#timer = setInterval(() => {
      this.#onTheWay();
    }, everyMs);
  }

  take(event: TransferEvent): void {
    if (event.type === "planned") {
      this.#planned(event.isComplete);
    } else if (event.type === "waiting") {
      this.#say(`${clauseOf(event.reason)}; trying again in ${formatDuration(event.seconds)}.`);
    } else if (event.type === "file-failed") {
      this.#say(`${event.path}: failed. ${event.message}`);
    } else if (event.type === "file-done" && this.#tally.files <= fewFiles) {
      const proof = this.#started === "Sending" ? `, proof: ${event.proof}` : "";
      this.#say(`${event.path}: done${proof}.`);
    }
  }

  /** Said when it begins, and once more when all is known that was not known then. */
  #planned(isComplete: boolean): void {
    const { files, bytes } = this.#tally;
    const what = `${counted(files, "file")}, ${formatSize(bytes)}`;
    if (!this.#isBegun) {
      this.#say(
        `${this.#started} ${what}${isComplete ? "." : " so far; more are being looked for."}`,
      );
    } else if (isComplete) this.#say(`All is found: ${what}.`);
    this.#isBegun = true;
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #onTheWay(): void {
    const tally = this.#tally;
    const now = performance.now();
    const proving = [...tally.running.values()].filter((file) => file.phase === "proving");
    if (tally.doneBytes === this.#lastDone && proving.length === 0) return;
    this.#lastDone = tally.doneBytes;
    const speed = tally.speed(now);
    const left = tally.secondsLeft(now);
    this.#say(
      [
        `${Math.floor(tally.fraction() * 100)} %`,
        `${formatSize(tally.doneBytes)} of ${formatSize(tally.bytes)}`,
        ...(tally.files > 1 ? [`${tally.filesDone} of ${tally.files} files`] : []),
        ...(speed === undefined ? [] : [`${formatSize(speed)}/s`]),
        ...(left === undefined || left === 0 ? [] : [`${formatDuration(left)} left`]),
        ...(proving.length === 0 ? [] : ["the store is proving what arrived"]),
      ].join(", "),
    );
  }

  #say(text: string): void {
    this.#terminal.error.write(`${visible(text)}\n`);
  }
}
