/** The terminal as facts and three streams. Everything that is printed goes through one of these. */
export interface Terminal {
  readonly input: NodeJS.ReadableStream;
  readonly output: NodeJS.WritableStream;
  readonly error: NodeJS.WritableStream;
  /** A person can be asked: stdin and stderr are a terminal, and this is no CI. */
  readonly interactive: boolean;
  /** stderr can be redrawn: a terminal, not dumb, no CI. */
  readonly live: boolean;
  /** stderr is a terminal at all: what is written there is seen by a person and kept by no one. */
  readonly errorIsTerminal: boolean;
  readonly outputIsTerminal: boolean;
  /** stderr, or stdout, takes colour. Nothing means something by colour alone. */
  readonly color: boolean;
  readonly outputColor: boolean;
  columns(): number;
}

type MaybeTerminal<Stream> = Stream & {
  readonly isTTY?: boolean;
  readonly columns?: number;
};

/** What `process` has to do with a terminal. */
export interface TerminalStreams {
  readonly stdin: MaybeTerminal<NodeJS.ReadableStream>;
  readonly stdout: MaybeTerminal<NodeJS.WritableStream>;
  readonly stderr: MaybeTerminal<NodeJS.WritableStream>;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** Reads the facts off the streams and off `NO_COLOR`, `TERM` and `CI`. */
export function terminalOf({ stdin, stdout, stderr, env }: TerminalStreams): Terminal {
  const set = (name: string): boolean => (env[name] ?? "") !== "";
  const dumb = env["TERM"] === "dumb";
  const errorIsTerminal = stderr.isTTY === true;
  const outputIsTerminal = stdout.isTTY === true;
  const colorful = !set("NO_COLOR") && !dumb;
  return {
    input: stdin,
    output: stdout,
    error: stderr,
    interactive: stdin.isTTY === true && errorIsTerminal && !set("CI"),
    live: errorIsTerminal && !dumb && !set("CI"),
    errorIsTerminal,
    outputIsTerminal,
    color: errorIsTerminal && colorful,
    outputColor: outputIsTerminal && colorful,
    columns: () => stderr.columns ?? 80,
  };
}
