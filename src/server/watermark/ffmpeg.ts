import { ExhibitError } from "../../evidence/errors.ts";
import { findProgram, runLimited, type LimitedRun } from "./limited-run.ts";
import type { Turns } from "./turns.ts";

/** 4K HEVC needs about 1.5 GiB. */
const memoryBytes = 4 * 1024 ** 3;

export type Program = "ffmpeg" | "ffprobe";

/**
 * One run. Texts and fonts are named relative to its folder, so that no path stands in a filter string. `party` is whose
 * turn it takes.
 */
export interface Run extends Omit<LimitedRun, "memoryBytes" | "input"> {
  readonly party: string;
}

/** What a run gets from outside; its limits belong to what it does. */
export type Errand = Pick<Run, "party" | "folder" | "signal" | "environment">;

export interface Ffmpeg {
  /**
   * Runs a program in its turn, as `runLimited` does, and returns what it wrote to stdout.
   *
   * @throws RunFailed when the master is not what it seemed to be; ExhibitError `unavailable.program`, `unavailable.busy`
   * (wall time), `policy.too-large` (output)
   */
  run(program: Program, args: readonly string[], run: Run): Promise<Buffer>;
}

export function createFfmpeg(turns: Turns, folders?: readonly string[]): Ffmpeg {
  const found = new Map<string, string>();

  return {
    async run(program, args, run) {
      const path = found.get(program) ?? (await findProgram(program, folders));
      if (path === undefined) {
        throw new ExhibitError(
          "unavailable.program",
          `This server needs ${program} to make marked copies, and it is not installed.`,
          { hint: "Run: apt-get install -y --no-install-recommends ffmpeg" },
        );
      }
      found.set(program, path);
      const quiet = program === "ffmpeg" ? ["-nostdin", ...args] : args;
      return turns.take(run.party, run.signal, () =>
        runLimited(path, quiet, { ...run, memoryBytes }),
      );
    },
  };
}
