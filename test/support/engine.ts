import { execFile, spawn } from "node:child_process";
import { EventEmitter, once } from "node:events";
import { mkdtemp, readFile } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const execFileAsync = promisify(execFile);
const keeper = fileURLToPath(new URL("engine-keeper.js", import.meta.url));

/** The daemons of one engine and their folder. Both are gone when it is closed, and when this process ends in whatever way. */
export interface Engine {
  readonly folder: string;
  /** The process whose children the daemons are. */
  readonly pid: number;
  /** Starts a daemon that stays in the foreground. */
  start(name: string, argv: readonly string[]): Promise<void>;
  /** Ends it by SIGKILL; returns when it is gone. */
  kill(name: string): Promise<void>;
  /** Waits until something listens on the port. @throws Error with the daemon's last words where it ended instead */
  listens(name: string, port: number): Promise<void>;
  close(): Promise<void>;
}

interface Told {
  readonly started?: string;
  readonly ended?: string;
  readonly how?: string;
}

/** An engine without any daemon yet. */
export async function newEngine(kind: string): Promise<Engine> {
  const folder = await mkdtemp(path.join(tmpdir(), `exhibit-${kind}-`));
  const child = spawn(process.execPath, [keeper, folder], {
    stdio: ["pipe", "pipe", "inherit"],
    detached: true,
  });
  // A test that forgets to close an engine ends all the same, and the engine with it.
  const held: readonly unknown[] = [child, child.stdin, child.stdout];
  for (const handle of held as readonly { unref(): void }[]) handle.unref();
  const gone = once(child, "exit");
  const running = new Set<string>();
  const ends = new Map<string, string>();
  const changes = new EventEmitter();
  createInterface({ input: child.stdout }).on("line", (line) => {
    const { started, ended, how } = JSON.parse(line) as Told;
    if (started !== undefined) running.add(started);
    if (ended !== undefined) {
      running.delete(ended);
      ends.set(ended, how ?? "");
    }
    changes.emit("change");
  });
  const tell = (words: Readonly<Record<string, unknown>>): void => {
    child.stdin.write(`${JSON.stringify(words)}\n`);
  };
  const requireNotEnded = async (name: string): Promise<void> => {
    const how = ends.get(name);
    if (how === undefined) return;
    const words = await readFile(path.join(folder, "log", `${name}.out`), "utf8").catch(() => "");
    throw new Error(`${name} ended with ${how}: ${words.slice(-2000)}`);
  };
  const { pid } = child;
  if (pid === undefined) throw new Error("The engine's keeper cannot be started.");
  return {
    folder,
    pid,
    async start(name, argv) {
      ends.delete(name);
      tell({ start: name, argv });
      while (!running.has(name)) {
        await once(changes, "change");
        await requireNotEnded(name);
      }
    },
    async kill(name) {
      tell({ kill: name });
      while (running.has(name)) await once(changes, "change");
    },
    async listens(name, port) {
      while (!(await accepts(port))) {
        await requireNotEnded(name);
        await pause(20);
      }
    },
    async close() {
      child.ref();
      child.stdin.end();
      await gone;
    },
  };
}

/** Runs a program to its end and gives what it printed. @throws Error with what it said where it failed */
export async function output(program: string, argv: readonly string[]): Promise<string> {
  const { stdout } = await execFileAsync(program, argv, { maxBuffer: 16 * 1024 * 1024 });
  return stdout;
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    const settle = (yes: boolean): void => {
      socket.destroy();
      resolve(yes);
    };
    socket.once("connect", () => {
      settle(true);
    });
    socket.once("error", () => {
      settle(false);
    });
  });
}
