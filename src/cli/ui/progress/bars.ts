import { MultiBar, type SingleBar } from "cli-progress";
import { formatDuration, formatSize } from "../../../evidence/quantities.ts";
import type { Terminal } from "../terminal.ts";
import { themeFor } from "../theme.ts";
import { shortened, visible } from "../visible.ts";
import { clauseOf, type RunningFile, type Tally } from "./tally.ts";

export interface ProgressView {
  /** The tally has changed. */
  update(): void;
  stop(): void;
}

const widestBar = 24;
const narrowestBar = 6;
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

/**
 * `Total  ███████░░░  45 %  1.20 GiB of 2.70 GiB  11.3 MiB/s  2 min 10 s left`. Where the terminal is too narrow the bar becomes
 * shorter first; then what matters least is left out, the time that is left last of all.
 */
export function wholeLine(
  tally: Tally,
  nowMs: number,
  columns: number,
  strong: (text: string) => string,
): string {
  const speed = tally.speed(nowMs);
  const left = tally.secondsLeft(nowMs);
  const wait = tally.waiting;
  const why = tally.stopping
    ? "stopping; Ctrl-C again leaves at once"
    : wait !== undefined && wait.untilMs > nowMs
      ? `${visible(clauseOf(wait.reason))}, again in ${formatDuration((wait.untilMs - nowMs) / 1000)}`
      : undefined;
  const moves = why === undefined;
  const facts: Fact[] = [
    [`${formatSize(tally.doneBytes)} of ${formatSize(tally.bytes)}`, 2],
    [tally.files === 1 ? undefined : `${tally.filesDone} of ${tally.files} files`, 3],
    [tally.filesFailed === 0 ? undefined : `${tally.filesFailed} failed`, 1],
    [moves && speed !== undefined ? `${formatSize(speed)}/s` : undefined, 4],
    [moves && left !== undefined ? `${formatDuration(left)} left` : why, 0],
  ];
  const share = percent(tally.fraction());
  const room = columns - 1 - `Total   ${share}`.length;
  const rest = thoseThatFit(facts, room - narrowestBar);
  const head = `Total  ${bar(tally.fraction(), room - rest.length)} ${share}`;
  return strong(head) + cut(rest, columns - head.length);
}

/** `███░░░░░░░  30 %  sending  1.20 GiB  bus-17-front.mp4`; in a narrow terminal the name before all else. */
export function fileLine(file: RunningFile, columns: number): string {
  const done = file.phase === "proving" ? file.provedBytes : file.doneBytes;
  const fraction = file.sizeBytes === 0 ? 1 : Math.min(1, done / file.sizeBytes);
  const isNarrow = columns < 70;
  const facts = isNarrow ? "" : `  ${file.phase.padEnd(8)}  ${formatSize(file.sizeBytes)}`;
  const width = isNarrow ? narrowestBar : widestBar;
  const rest = `       ${bar(fraction, width)} ${percent(fraction)}${facts}`;
  const name = shortened(visible(file.path), Math.max(8, columns - rest.length - 3));
  return cut(`${rest}  ${name}`, columns);
}

/** Words, and how early they are left out: the highest first. */
type Fact = readonly [words: string | undefined, dispensable: number];

/** Those of the facts that fit into so many characters, each after two blanks; of the most important one as much as fits. */
function thoseThatFit(facts: readonly Fact[], room: number): string {
  const text = facts.flatMap(([words]) => (words === undefined ? [] : [`  ${words}`])).join("");
  const present = facts.filter(([words]) => words !== undefined);
  if (text.length <= room || present.length <= 1) return text;
  const least = Math.max(...present.map(([, dispensable]) => dispensable));
  return thoseThatFit(
    present.filter(([, dispensable]) => dispensable !== least),
    room,
  );
}

function bar(fraction: number, room: number): string {
  const width = Math.max(narrowestBar, Math.min(widestBar, room));
  const full = Math.round(fraction * width);
  return "█".repeat(full) + "░".repeat(width - full);
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
