import { spawn } from "node:child_process";
import { constants } from "node:fs";
import { access } from "node:fs/promises";
import { join } from "node:path";
import { ExhibitError } from "../../evidence/errors.ts";

/** Where programs are looked for: the system's places, whatever this process's own environment says. */
export const systemFolders = ["/usr/local/bin", "/usr/bin", "/bin", "/opt/homebrew/bin"];
const stderrBytes = 4096;

/** What a program may use. */
export interface Limits {
  readonly timeoutMs: number;
  readonly maxOutputBytes: number;
  /** Memory of its own that it may write to. */
  readonly memoryBytes: number;
}

export interface LimitedRun extends Limits {
  /** Its working folder. */
  readonly folder: string;
  readonly signal: AbortSignal;
  /** Its variables beside `PATH`. Unlike its arguments, other accounts of this machine can't read them. */
  readonly environment?: Readonly<Record<string, string>>;
  /** What it finds on stdin, in this order. */
  readonly input?: readonly Buffer[];
}

/** A program ended by itself and not well. Its last words are the message. */
export class RunFailed extends Error {
  override readonly name = "RunFailed";
}

/** The path of a program that may be run, if it is in one of the folders. */
export async function findProgram(
  program: string,
  folders: readonly string[] = systemFolders,
): Promise<string | undefined> {
  for (const folder of folders) {
    const path = join(folder, program);
    try {
      await access(path, constants.X_OK);
    } catch {
      continue;
    }
    return path;
  }
  return undefined;
}

/**
 * Runs a program on material that may be hostile and returns what it wrote to stdout. It gets no terminal, no environment
 * of ours, a memory, a processor-time and a wall-time limit, and SIGKILL on `signal`. Where util-linux's `prlimit` is missing
 * (macOS), only the wall-time limit holds.
 *
 * @throws RunFailed; ExhibitError `unavailable.program`, `unavailable.busy` (wall time), `policy.too-large` (output)
 */
export async function runLimited(
  path: string,
  args: readonly string[],
  run: LimitedRun,
): Promise<Buffer> {
  const limiter = await findProgram("prlimit");
  if (limiter === undefined) return runProgram(path, args, run);
  const seconds = Math.ceil((run.timeoutMs / 1000) * 4);
  const limits = [`--data=${run.memoryBytes}`, `--cpu=${seconds}`, "--core=0", "--"];
  return runProgram(limiter, [...limits, path, ...args], run);
}

function runProgram(path: string, args: readonly string[], run: LimitedRun): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const child = spawn(path, args, {
      cwd: run.folder,
      env: { PATH: systemFolders.join(":"), LC_ALL: "C", ...run.environment },
      stdio: ["pipe", "pipe", "pipe"],
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
      stop(asError(run.signal.reason));
    };
    const timer = setTimeout(() => {
      stop(
        new ExhibitError("unavailable.busy", "Making a marked copy took too long.", {
          hint: "Try again in a minute.",
        }),
      );
    }, run.timeoutMs);
    run.signal.addEventListener("abort", onAbort);
    child.stdout.on("data", (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes <= run.maxOutputBytes) chunks.push(chunk);
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
      run.signal.removeEventListener("abort", onAbort);
      if (stopped !== undefined) reject(stopped);
      else if (code === 0) resolve(Buffer.concat(chunks));
      else reject(new RunFailed(words.trim() || "it was killed"));
    });
    // One that dies before it has read everything must not end this process with EPIPE.
    child.stdin.on("error", () => undefined);
    for (const part of run.input ?? []) child.stdin.write(part);
    child.stdin.end();
    if (run.signal.aborted) onAbort();
  });
}

function asError(reason: unknown): Error {
  return reason instanceof Error ? reason : new Error("stopped", { cause: reason });
}
