import { table } from "./result.ts";
import { themeFor } from "./theme.ts";
import type { Terminal } from "./terminal.ts";
import { written } from "./written.ts";

/** Rows whose columns are lined up with each other. */
const rowsTogether = 200;

/** A table of any length on stdout: lined up in stretches, headed once, and only for people. */
export class Table {
  readonly #terminal: Terminal;
  readonly #heading: readonly string[];
  #rows: (readonly string[])[] = [];
  #isHeaded = false;

  constructor(terminal: Terminal, heading: readonly string[]) {
    this.#terminal = terminal;
    this.#heading = heading;
  }

  async row(cells: readonly string[]): Promise<void> {
    this.#rows.push(cells);
    if (this.#rows.length >= rowsTogether) await this.end();
  }

  /** Writes what has not been written yet. */
  async end(): Promise<void> {
    if (this.#rows.length === 0) return;
    const { output, outputIsTerminal, outputColor } = this.#terminal;
    const heading = outputIsTerminal && !this.#isHeaded;
    const lines = table(this.#heading, this.#rows, { heading, theme: themeFor(outputColor) });
    this.#rows = [];
    this.#isHeaded = true;
    await written(output, lines.map((line) => `${line}\n`).join(""));
  }
}
