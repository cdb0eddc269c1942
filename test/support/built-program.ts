import { spawn, type ChildProcessWithoutNullStreams } from "node:child_process";
import { EventEmitter, once } from "node:events";
import { readFileSync } from "node:fs";
import path from "node:path";
import { createInterface } from "node:readline";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";

const program = fileURLToPath(new URL("../../bin/exhibit.js", import.meta.url));

/** A machine's own folders as environment, beside what this process has. */
export function environmentIn(folder: string): NodeJS.ProcessEnv {
  return {
    ...process.env,
    CI: "",
    TERM: "xterm-256color",
    EXHIBIT_CONFIG_DIR: path.join(folder, "config"),
    EXHIBIT_STATE_DIR: path.join(folder, "state"),
    EXHIBIT_KEY_FILE: path.join(folder, "keys.json"),
  };
}

/** Starts the built program; `env` comes on top of the machine's own. */
export function start(
  folder: string,
  argv: readonly string[],
  env: NodeJS.ProcessEnv = {},
): ChildProcessWithoutNullStreams {
  return spawn(process.execPath, [program, ...argv], { env: { ...environmentIn(folder), ...env } });
}

/** Starts the built program with this descriptor as its stdout; what it prints is not to be had from the child. */
export function startPrinting(
  folder: string,
  argv: readonly string[],
  descriptor: number,
): ChildProcessWithoutNullStreams {
  const script = 'exec "$0" "$@" >&3';
  const child = spawn("sh", ["-c", script, process.execPath, program, ...argv], {
    env: environmentIn(folder),
    stdio: ["pipe", "pipe", "pipe", descriptor],
  });
  return child as ChildProcessWithoutNullStreams;
}

/** Starts the built program where some files of this machine are others: for it alone, in a mount namespace of its own. Root only. */
export function startApart(
  files: Readonly<Record<string, string>>,
  folder: string,
  argv: readonly string[],
  env: NodeJS.ProcessEnv = {},
): ChildProcessWithoutNullStreams {
  const mounts = Object.entries(files).map(([place, file]) => `mount --bind '${file}' '${place}'`);
  const script = [...mounts, 'exec "$0" "$@"'].join(" && ");
  return spawn("unshare", ["-m", "sh", "-c", script, process.execPath, program, ...argv], {
    env: { ...environmentIn(folder), ...env },
  });
}

/** Starts the built program where the system tells of changes in so many folders only: in a user namespace of its own. Root only. */
export function startLimited(
  folders: number,
  folder: string,
  argv: readonly string[],
): ChildProcessWithoutNullStreams {
  const script = `echo ${folders} > /proc/sys/user/max_inotify_watches && exec "$0" "$@"`;
  return spawn("unshare", ["-U", "-r", "sh", "-c", script, process.execPath, program, ...argv], {
    env: environmentIn(folder),
  });
}

/** Starts the built program under strace, with one thread for files, so that `inject` counts their calls in order. */
export function startTraced(
  folder: string,
  strace: readonly string[],
  argv: readonly string[],
): ChildProcessWithoutNullStreams {
  return spawn(
    "strace",
    ["-f", "--seccomp-bpf", "-qq", ...strace, process.execPath, program, ...argv],
    {
      env: { ...environmentIn(folder), UV_THREADPOOL_SIZE: "1" },
    },
  );
}

/** The process that another has started. */
export function childOf(pid: number | undefined): number {
  return Number(readFileSync(`/proc/${pid ?? 0}/task/${pid ?? 0}/children`, "utf8"));
}

/** Runs the built program to its end. */
export async function finish(
  child: ChildProcessWithoutNullStreams,
): Promise<{ code: number | null; out: string; err: string }> {
  child.stdin.end();
  const closed = once(child, "close") as Promise<[number | null]>;
  const [out, err, [code]] = await Promise.all([text(child.stdout), text(child.stderr), closed]);
  return { code, out, err };
}

export interface ServingProgram {
  readonly url: string;
  /** Where its numbers are, with `--metrics-address`. */
  readonly metricsUrl: string | undefined;
  readonly child: ChildProcessWithoutNullStreams;
  /** All that it has said and logged, once it has ended. */
  readonly err: Promise<string>;
  /** All that stood on its stdout, once it has ended. */
  readonly out: Promise<string>;
  stop(): Promise<number | null>;
}

/** Starts `exhibit serve` on a free port, or one that `argv` names, and waits until it listens. */
export async function serve(
  folder: string,
  argv: readonly string[] = [],
  env: NodeJS.ProcessEnv = {},
): Promise<ServingProgram> {
  const child = start(folder, ["serve", "--port", "0", "--json", ...argv], env);
  const closed = once(child, "close") as Promise<[number | null]>;
  const err = text(child.stderr);
  const written: Buffer[] = [];
  child.stdout.on("data", (chunk: Buffer) => written.push(chunk));
  const out = closed.then(() => Buffer.concat(written).toString());
  for await (const line of createInterface({ input: child.stdout })) {
    const { url, metricsUrl } = JSON.parse(line) as { url: string; metricsUrl?: string };
    // The lines' reader is paused when the first one is read.
    setImmediate(() => child.stdout.resume());
    return {
      url,
      metricsUrl,
      child,
      err,
      out,
      stop: async () => {
        child.kill("SIGTERM");
        return (await closed)[0];
      },
    };
  }
  throw new Error(`The server did not start: ${await err}`);
}

/** The built program at a terminal of its own: what it shows, and a hand to type with. */
export interface AtTerminal {
  /** Waits until this has been shown, behind what was waited for before. */
  shows(words: string): Promise<void>;
  type(keys: string): void;
  screen(): string;
  /** The terminal is closed, as when its window is: nobody is left at its other end. */
  hangUp(): void;
  /** Ends the program itself by SIGKILL, as a power cut would. */
  killHard(): void;
  readonly code: Promise<number | null>;
}

/**
 * Starts the built program under `script`, which gives it a terminal. With `codeFile`, that is what its exit code is written to when it
 * was hung up: a shell stands between then, as it does for people, and hands the SIGHUP on.
 */
export function atTerminal(
  folder: string,
  argv: readonly string[],
  env: NodeJS.ProcessEnv = {},
  codeFile?: string,
): AtTerminal {
  const quoted = [process.execPath, program, ...argv]
    .map((word) => `'${word.replaceAll("'", "'\\''")}'`)
    .join(" ");
  const command =
    codeFile === undefined
      ? `exec ${quoted}`
      : `${quoted} <&0 & trap "kill -HUP $!" HUP; wait $!; wait $!; echo $? > '${codeFile}'`;
  const child = spawn("script", ["-qefc", `stty cols 100; ${command}`, "/dev/null"], {
    env: { ...environmentIn(folder), ...env },
  });
  let shown = "";
  let seen = 0;
  const changes = new EventEmitter();
  child.stdout.on("data", (chunk: Buffer) => {
    shown += chunk.toString();
    changes.emit("change");
  });
  const code = once(child, "close").then(([status]: unknown[]) => status as number | null);
  let ended = false;
  void code.then(() => {
    ended = true;
    changes.emit("change");
  });
  return {
    async shows(words) {
      for (;;) {
        const at = shown.indexOf(words, seen);
        if (at >= 0) {
          seen = at + words.length;
          return;
        }
        if (ended) throw new Error(`"${words}" was never shown, but: ${shown}`);
        await once(changes, "change");
      }
    },
    type(keys) {
      child.stdin.write(keys);
    },
    screen: () => shown,
    hangUp() {
      child.kill("SIGKILL");
    },
    killHard() {
      process.kill(childOf(child.pid), "SIGKILL");
    },
    code,
  };
}
