import { EventEmitter, once } from "node:events";
import { Interrupted } from "../../src/cli/interrupted.ts";
import type { Machine, Ran } from "./cli.ts";

/** A line of `exhibit watch --json`. */
export interface WatchLine {
  readonly type: string;
  readonly file?: string;
  readonly case?: string;
  readonly reference?: string;
  readonly state?: string;
  readonly code?: string;
  readonly reason?: string;
  readonly to?: string;
  readonly receipt?: string;
}

/** What a watch has told; that it began is left out. */
export function watchLines(out: string): WatchLine[] {
  return out
    .split("\n")
    .slice(0, -1)
    .map((line) => JSON.parse(line) as WatchLine)
    .filter(({ type }) => type !== "watching");
}

/** A watch that goes on until it is stopped. */
export interface RunningWatch {
  /** Waits until it has told this. */
  tells(type: string, file?: string): Promise<void>;
  /** Ctrl-C. */
  stop(): Promise<Ran>;
}

/** Starts `exhibit watch --json` with `argv`, at a machine, in this process. */
export function runningWatch(machine: Machine, argv: readonly string[]): RunningWatch {
  const ctrlC = new AbortController();
  const output = new EventEmitter();
  let out = "";
  const running = machine.exhibit(["watch", "--json", ...argv], {
    signal: ctrlC.signal,
    onOutput(text) {
      out = text;
      output.emit("more");
    },
  });
  void running.finally(() => output.emit("error", new Error(`The watch has ended: ${out}`)));
  output.on("error", () => undefined);
  return {
    async tells(type, file) {
      const isIt = (line: WatchLine): boolean => line.type === type && line.file === file;
      while (!watchLines(out).some(isIt)) await once(output, "more");
    },
    stop() {
      ctrlC.abort(new Interrupted("SIGINT"));
      return running;
    },
  };
}
