import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { PassThrough, Readable, Writable } from "node:stream";
import { run } from "../../src/cli/run.ts";
import { terminalOf, type Terminal } from "../../src/cli/ui/terminal.ts";
import { composeMachine } from "../../src/main.ts";

/** A terminal made of buffers. */
export interface FakeTerminal {
  readonly terminal: Terminal;
  readonly out: () => string;
  readonly err: () => string;
}

class Buffered extends Writable {
  readonly isTTY: boolean;
  readonly columns = 100;
  text = "";

  constructor(isTTY: boolean) {
    super();
    this.isTTY = isTTY;
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.text += chunk.toString();
    this.emit("written");
    done();
  }
}

export function fakeTerminal(
  options: {
    readonly input?: string;
    readonly live?: boolean;
    readonly env?: Record<string, string>;
    /** Told all of what is on stdout, each time that there is more. */
    readonly onOutput?: ((out: string) => void) | undefined;
  } = {},
): FakeTerminal {
  const live = options.live === true;
  const stdout = new Buffered(live);
  stdout.on("written", () => options.onOutput?.(stdout.text));
  const stderr = new Buffered(live);
  const stdin = live
    ? Object.assign(new PassThrough(), { isTTY: true })
    : Readable.from([options.input ?? ""]);
  const terminal = terminalOf({ stdin, stdout, stderr, env: options.env ?? {} });
  return { terminal, out: () => stdout.text, err: () => stderr.text };
}

/** What a command did. */
export interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
  /** The document on stdout. */
  json(): Record<string, unknown>;
}

/** Someone at a machine of their own: own configuration, own state, own key file. */
export interface Machine {
  readonly folder: string;
  readonly env: Readonly<Record<string, string>>;
  /** Runs a command line in this process, as the program would. */
  exhibit(
    argv: readonly string[],
    options?: {
      readonly input?: string;
      readonly env?: Record<string, string>;
      readonly signal?: AbortSignal;
      readonly onOutput?: (out: string) => void;
    },
  ): Promise<Ran>;
}

export async function newMachine(): Promise<Machine> {
  const folder = await mkdtemp(path.join(tmpdir(), "exhibit-machine-"));
  const own = {
    EXHIBIT_CONFIG_DIR: path.join(folder, "config"),
    EXHIBIT_STATE_DIR: path.join(folder, "state"),
    EXHIBIT_KEY_FILE: path.join(folder, "keys.json"),
  };
  return {
    folder,
    env: own,
    async exhibit(argv, options = {}) {
      const env = { ...own, ...options.env };
      const { input = "", onOutput } = options;
      const { terminal, out, err } = fakeTerminal({ input, env, onOutput });
      const facts = { platform: process.platform, home: folder, env };
      const code = await run(argv, {
        terminal,
        machine: composeMachine(facts, "0.1.0", terminal),
        version: "0.1.0",
        signal: options.signal ?? new AbortController().signal,
      });
      return {
        code,
        out: out(),
        err: err(),
        json: () => JSON.parse(out()) as Record<string, unknown>,
      };
    },
  };
}
