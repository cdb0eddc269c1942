import { written } from "./written.ts";

/** Characters that are written at once. */
const pieceLength = 64 * 1024;

/**
 * One JSON document on one line, written while what it lists is still being found: members first, then lists one after another,
 * then members again. Where nobody reads any more, the rest is left out.
 */
export class StreamedDocument {
  readonly #output: NodeJS.WritableStream;
  #piece: string;
  #separator = "";

  constructor(output: NodeJS.WritableStream, members: Readonly<Record<string, unknown>>) {
    this.#output = output;
    this.#piece = JSON.stringify(members).slice(0, -1);
  }

  begin(list: string): void {
    this.#piece += `,${JSON.stringify(list)}:[`;
    this.#separator = "";
  }

  async item(item: unknown): Promise<void> {
    this.#piece += `${this.#separator}${JSON.stringify(item)}`;
    this.#separator = ",";
    if (this.#piece.length < pieceLength) return;
    await written(this.#output, this.#piece);
    this.#piece = "";
  }

  endList(): void {
    this.#piece += "]";
  }

  async end(members: Readonly<Record<string, unknown>>): Promise<void> {
    await written(this.#output, `${this.#piece},${JSON.stringify(members).slice(1)}\n`);
  }
}
