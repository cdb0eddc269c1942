import { spawn } from "node:child_process";
import { constants } from "node:fs";
import { access } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { ExhibitError } from "../../evidence/errors.ts";
import { createTurns } from "./turns.ts";

/** Where programs are looked for: the system's places, whatever this process's own environment says. */
const systemFolders = ["/usr/local/bin", "/usr/bin", "/bin", "/opt/homebrew/bin"];
/** Address space of one run. 4K HEVC needs about 1.5 GiB of it. */
const memoryBytes = 4 * 1024 ** 3;
const stderrBytes = 4096;

export type Program = "ffmpeg" | "ffprobe";

export interface Run {
  /** Its working folder: texts and fonts are named relative to it, so that no path stands in a filter string. */
  readonly folder: string;
  readonly timeoutMs: number;
  readonly maxOutputBytes: number;
  readonly signal: AbortSignal;
}

/** ffmpeg ended by itself and not well: the master is not what it seemed to be. Its last words are the message. */
export class FfmpegFailed extends Error {
  override readonly name = "FfmpegFailed";
}

export interface Ffmpeg {
  /**
   * Runs a program and returns what it wrote to stdout. As many run at once as there are cores, the rest wait their turn. It
   * gets no terminal, no environment of ours, a memory, a processor-time and a wall-time limit, and SIGKILL on `signal`.
   *
   * @throws FfmpegFailed; ExhibitError `unavailable.program`, `unavailable.busy` (wall time), `policy.too-large` (output)
   */
  run(program: Program, args: readonly string[], run: Run): Promise<Buffer>;
  /** True when a run would start at once. */
  idle(): boolean;
}

export function createFfmpeg(folders: readonly string[] = systemFolders): Ffmpeg {
  const turns = createTurns(availableParallelism());
  const found = new Map<string, string>();

  async function find(program: string): Promise<string | undefined> {
    const known = found.get(program);
    if (known !== undefined) return known;
    for (const folder of folders) {
      const path = join(folder, program);
      try {
        await access(path, constants.X_OK);
      } catch {
        continue;
      }
      found.set(program, path);
      return path;
    }
    return undefined;
  }

  return {
    idle: () => turns.free(),
    async run(program, args, options) {
      const path = await find(program);
      if (path === undefined) {
        throw new ExhibitError(
          "unavailable.program",
          `This server needs ${program} to make marked copies, and it is not installed.`,
          { hint: "Run: apt-get install -y --no-install-recommends ffmpeg" },
        );
      }
      const limiter = await find("prlimit");
      const quiet = program === "ffmpeg" ? ["-nostdin", ...args] : [...args];
      const [command, full] =
        limiter === undefined ? [path, quiet] : [limiter, limits(options, path, quiet)];
      return turns.take(options.signal, () => runOne(command, full, options));
    },
  };
}

/** The line for util-linux's `prlimit`. Where that is missing (macOS), only the wall-time limit holds. */
function limits(options: Run, path: string, args: readonly string[]): string[] {
  const seconds = Math.ceil((options.timeoutMs / 1000) * 4);
  return [`--as=${memoryBytes}`, `--cpu=${seconds}`, "--core=0", "--", path, ...args];
}

function runOne(command: string, args: readonly string[], options: Run): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd: options.folder,
      env: { PATH: systemFolders.join(":"), LC_ALL: "C" },
      stdio: ["ignore", "pipe", "pipe"],
    });
    const chunks: Buffer[] = [];
    let bytes = 0;
    let words = "";
    let stopped: Error | undefined;
    const stop = (reason: Error): void => {
      stopped ??= reason;
      child.kill("SIGKILL");
    };
    const onAbort = (): void => {
      stop(asError(options.signal.reason));
    };
    const timer = setTimeout(() => {
      stop(
        new ExhibitError("unavailable.busy", "Making a marked copy took too long.", {
          hint: "Try again in a minute.",
        }),
      );
    }, options.timeoutMs);
    options.signal.addEventListener("abort", onAbort);
    child.stdout.on("data", (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes <= options.maxOutputBytes) chunks.push(chunk);
      else stop(new ExhibitError("policy.too-large", "The marked copy would be too large."));
    });
    child.stderr.on("data", (chunk: Buffer) => {
      words = (words + chunk.toString("utf8")).slice(-stderrBytes);
    });
    child.on("error", (cause) => {
      stopped ??= new ExhibitError("unavailable.program", "A program could not be started.", {
        cause,
      });
    });
    child.on("close", (code) => {
      clearTimeout(timer);
      options.signal.removeEventListener("abort", onAbort);
      if (stopped !== undefined) reject(stopped);
      else if (code === 0) resolve(Buffer.concat(chunks));
      else reject(new FfmpegFailed(words.trim() || "ffmpeg was killed"));
    });
    if (options.signal.aborted) onAbort();
  });
}

function asError(reason: unknown): Error {
  return reason instanceof Error ? reason : new Error("stopped", { cause: reason });
}
