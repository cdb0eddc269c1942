import { MultiBar, type SingleBar } from "cli-progress";
import { formatDuration, formatSize } from "../../../evidence/quantities.ts";
import type { Terminal } from "../terminal.ts";
import { themeFor } from "../theme.ts";
import { shortened, visible } from "../visible.ts";
import type { RunningFile, Tally } from "./tally.ts";

export interface ProgressView {
  /** The tally has changed. */
  update(): void;
  stop(): void;
}

const barWidth = 24;
/** More bars than this would push the line for the whole off the screen. */
const mostFiles = 6;

/** One bar for the whole and one for each running file, redrawn in place ten times a second. */
export function bars(terminal: Terminal, tally: Tally): ProgressView {
  const theme = themeFor(terminal.color);
  const multi = new MultiBar({
    stream: terminal.error,
    clearOnComplete: true,
    hideCursor: true,
    fps: 10,
    emptyOnZero: true,
    format: (_options, _params, payload: { line: string }) => payload.line,
  });
  const whole = multi.create(1, 0, { line: "" });
  const rows = new Map<string, SingleBar>();

  const draw = (): void => {
    const now = performance.now();
    whole.update(0, { line: wholeLine(tally, now, terminal.columns(), theme.strong) });
    const shown = [...tally.running.values()].slice(0, mostFiles);
    for (const [path, row] of rows) {
      if (shown.some((file) => file.path === path)) continue;
      multi.remove(row);
      rows.delete(path);
    }
    for (const file of shown) {
      const line = fileLine(file, terminal.columns());
      const row = rows.get(file.path);
      if (row === undefined) rows.set(file.path, multi.create(1, 0, { line }));
      else row.update(0, { line });
    }
  };
  // Speed, time left and a wait that runs out change without any event.
  const timer = setInterval(draw, 500);
  draw();
  return {
    update: draw,
    stop() {
      clearInterval(timer);
      draw();
      multi.stop();
    },
  };
}

/** `Total   ███████░░░  45 %  1.20 GiB of 2.70 GiB  11.3 MiB/s  2 min 10 s left`, cut to the terminal's width. */
export function wholeLine(
  tally: Tally,
  nowMs: number,
  columns: number,
  strong: (text: string) => string,
): string {
  const speed = tally.speed(nowMs);
  const left = tally.secondsLeft(nowMs);
  const files = tally.files === 1 ? "" : `  ${tally.filesDone} of ${tally.files} files`;
  const failed = tally.filesFailed === 0 ? "" : `  ${tally.filesFailed} failed`;
  const wait = tally.waiting;
  const tail = tally.stopping
    ? "  stopping; Ctrl-C again leaves at once"
    : wait !== undefined && wait.untilMs > nowMs
      ? `  ${visible(wait.reason)}, again in ${formatDuration((wait.untilMs - nowMs) / 1000)}`
      : `${speed === undefined ? "" : `  ${formatSize(speed)}/s`}${left === undefined ? "" : `  ${formatDuration(left)} left`}`;
  const head = `Total  ${bar(tally.fraction())} ${percent(tally.fraction())}`;
  const rest = `  ${formatSize(tally.doneBytes)} of ${formatSize(tally.bytes)}${files}${failed}${tail}`;
  return strong(head) + cut(rest, columns - head.length);
}

/** `bus-17-front.mp4   ███░░░░░░░  30 %  sending`. */
export function fileLine(file: RunningFile, columns: number): string {
  const done = file.phase === "proving" ? file.provedBytes : file.doneBytes;
  const fraction = file.sizeBytes === 0 ? 1 : Math.min(1, done / file.sizeBytes);
  const rest = `${bar(fraction)} ${percent(fraction)}  ${file.phase.padEnd(8)}  ${formatSize(file.sizeBytes)}`;
  const name = shortened(visible(file.path), Math.max(8, columns - rest.length - 10));
  return cut(`       ${rest}  ${name}`, columns);
}

function bar(fraction: number): string {
  const full = Math.round(fraction * barWidth);
  return "█".repeat(full) + "░".repeat(barWidth - full);
}

/** 100 % is kept for what is finished. */
function percent(fraction: number): string {
  const whole = fraction >= 1 ? 100 : Math.min(99, Math.floor(fraction * 100));
  return `${whole.toString().padStart(3)} %`;
}

/** One character short of the width: a line that fills it wraps on some terminals. */
function cut(line: string, columns: number): string {
  return line.slice(0, Math.max(0, columns - 1));
}
