import type { TransferEvent } from "../../../evidence/progress.ts";

/** What is being done with a file right now, in words. */
export type Phase = "starting" | "checking" | "sending" | "proving";

export interface RunningFile {
  readonly path: string;
  readonly sizeBytes: number;
  doneBytes: number;
  provedBytes: number;
  phase: Phase;
}

/** Speed is measured over the last this many milliseconds, so that it follows a line that changes. */
const windowMs = 15_000;

/** How far a run has come: the events of a transfer, added up. Times come from outside, in milliseconds. */
export class Tally {
  files = 0;
  bytes = 0;
  doneBytes = 0;
  sentBytes = 0;
  filesDone = 0;
  filesFailed = 0;
  /** What the transfer waits for, since when, and for how long. */
  waiting: { readonly reason: string; readonly untilMs: number } | undefined;
  /** The person asked it to stop; what is in flight is being parked. */
  stopping = false;
  readonly running = new Map<string, RunningFile>();
  readonly #samples: { readonly atMs: number; readonly doneBytes: number }[] = [];

  take(event: TransferEvent, nowMs: number): void {
    if (event.type === "file-hashed" || event.type === "needed-by") return;
    if (event.type === "planned") {
      this.files += event.files;
      this.bytes += event.bytes;
      this.#samples.push({ atMs: nowMs, doneBytes: this.doneBytes });
    } else if (event.type === "waiting") {
      this.waiting = { reason: event.reason, untilMs: nowMs + event.seconds * 1000 };
    } else if (event.type === "file-started") {
      const { path, sizeBytes } = event;
      this.running.set(path, { path, sizeBytes, doneBytes: 0, provedBytes: 0, phase: "starting" });
    } else {
      this.#takeFileEvent(event, nowMs);
    }
  }

  #takeFileEvent(
    event: Extract<TransferEvent, { type: "part-done" | "proving" | "file-done" | "file-failed" }>,
    nowMs: number,
  ): void {
    const file = this.running.get(event.path);
    if (event.type === "part-done") {
      this.waiting = undefined;
      this.#advance(event.bytes, nowMs);
      if (event.sent) this.sentBytes += event.bytes;
      if (file === undefined) return;
      file.doneBytes += event.bytes;
      file.phase = event.sent ? "sending" : "checking";
    } else if (event.type === "proving") {
      if (file === undefined) return;
      file.phase = "proving";
      file.provedBytes = event.provedBytes;
    } else {
      // A file that was found whole, or that failed, brings the run forward by what it had left.
      if (file !== undefined) this.#advance(Math.max(0, file.sizeBytes - file.doneBytes), nowMs);
      this.running.delete(event.path);
      if (event.type === "file-done") this.filesDone += 1;
      else this.filesFailed += 1;
    }
  }

  #advance(bytes: number, nowMs: number): void {
    this.doneBytes += bytes;
    this.#samples.push({ atMs: nowMs, doneBytes: this.doneBytes });
    while (this.#samples.length > 2 && nowMs - (this.#samples[1]?.atMs ?? 0) > windowMs) {
      this.#samples.shift();
    }
  }

  /** 0 to 1; a run without bytes counts its files. */
  fraction(): number {
    if (this.bytes > 0) return Math.min(1, this.doneBytes / this.bytes);
    return this.files === 0 ? 0 : Math.min(1, (this.filesDone + this.filesFailed) / this.files);
  }

  /** Bytes a second over the last moments; undefined before there is anything to measure. */
  speed(nowMs: number): number | undefined {
    const [first] = this.#samples;
    if (first === undefined) return undefined;
    const seconds = (nowMs - first.atMs) / 1000;
    const bytes = this.doneBytes - first.doneBytes;
    return seconds < 0.5 || bytes === 0 ? undefined : bytes / seconds;
  }

  secondsLeft(nowMs: number): number | undefined {
    const speed = this.speed(nowMs);
    return speed === undefined ? undefined : Math.max(0, this.bytes - this.doneBytes) / speed;
  }
}

/** A reason as part of a longer sentence. */
export function clauseOf(reason: string): string {
  return reason.replace(/\.$/, "");
}
