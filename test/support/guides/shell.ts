import { spawn } from "node:child_process";
import { EventEmitter, once } from "node:events";
import { writeFile } from "node:fs/promises";
import path from "node:path";
import { columns } from "./screen.ts";

/** What is typed when these words are on the screen. */
export type Answer = readonly [shown: string, typed: string];

export interface Ran {
  readonly code: number;
  readonly screen: string;
}

/** A bash at a terminal of its own, in which one types as a person would. */
export interface Shell {
  /** Types a command, answers its questions in their order, and waits for its end. */
  run(command: string, answers?: readonly Answer[]): Promise<Ran>;
  /** Types a command that stays, and waits until it has shown this. */
  begin(command: string, shows: RegExp): Promise<string>;
  /** Ctrl-C, and what the command that stayed then ended with. */
  interrupt(): Promise<Ran>;
  close(): Promise<void>;
}

/** Shown before each prompt: what the command before it ended with. */
const marker = /^=ended=(\d+)=\r?$/m;

/** Opens a shell for which this machine's `/etc/hosts` is the file `hosts`. Root only. */
export async function openShell(
  env: NodeJS.ProcessEnv,
  cwd: string,
  hosts: string,
): Promise<Shell> {
  const bash = `stty cols ${columns} -echo; exec bash --norc --noprofile --noediting -i`;
  const inside = `mount --bind '${hosts}' /etc/hosts && exec script -qefc '${bash}' /dev/null`;
  const child = spawn("unshare", ["-m", "sh", "-c", inside], {
    env: { ...env, PS1: "", PS2: "", PROMPT_COMMAND: "printf '\\n=ended=%s=\\n' $?" },
    cwd,
  });
  const closed = once(child, "close");
  const changes = new EventEmitter();
  let screen = "";
  child.stdout.on("data", (piece: Buffer) => {
    screen += piece.toString();
    changes.emit("change");
  });
  child.stderr.on("data", (piece: Buffer) => {
    screen += piece.toString();
  });
  void closed.then(() => {
    screen += "\n(the shell is gone)\n=ended=255=\n";
    changes.emit("change");
  });
  await ended([]);

  /** From a file, since what a command asks is answered by what is typed behind it. */
  async function type(command: string): Promise<void> {
    const file = path.join(cwd, ".typed.sh");
    await writeFile(file, `${command}\n`);
    screen = "";
    child.stdin.write(`source .typed.sh\n`);
  }

  async function ended(answers: readonly Answer[]): Promise<Ran> {
    const left = [...answers];
    let answered = 0;
    for (;;) {
      const done = marker.exec(screen);
      if (done !== null) return { code: Number(done[1]), screen: screen.slice(0, done.index) };
      const [shown = "", typed = ""] = left[0] ?? [];
      const at = shown === "" ? -1 : screen.indexOf(shown, answered);
      if (at < 0) {
        await once(changes, "change");
        continue;
      }
      answered = at + shown.length;
      left.shift();
      child.stdin.write(`${typed}\r`);
    }
  }

  return {
    async run(command, answers = []) {
      await type(command);
      return ended(answers);
    },
    async begin(command, shows) {
      await type(command);
      while (!shows.test(screen)) {
        if (marker.test(screen)) throw new Error(`${command} has ended: ${screen}`);
        await once(changes, "change");
      }
      return screen;
    },
    interrupt() {
      child.stdin.write("\u0003");
      return ended([]);
    },
    async close() {
      // The terminal goes away, as when its window is closed.
      child.kill("SIGKILL");
      await closed;
    },
  };
}
