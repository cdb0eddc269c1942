import type { Terminal } from "./terminal.ts";
import { written } from "./written.ts";

/** Characters that are written at once. */
const pieceLength = 64 * 1024;

/**
 * Writes lines that may be a million, no faster than they are taken, so that they need no memory. Where nobody reads any more
 * (`| head`), the rest is left out.
 */
export async function writeLines(
  stream: NodeJS.WritableStream,
  lines: Iterable<string>,
): Promise<void> {
  let piece = "";
  for (const line of lines) {
    piece += `${line}\n`;
    if (piece.length < pieceLength) continue;
    if (!(await written(stream, piece))) return;
    piece = "";
  }
  if (piece !== "") await written(stream, piece);
}

/** Prints a document on stdout as one line of JSON, going through what it holds as it is written: lists may be any iterables. */
export async function printLongJson(terminal: Terminal, document: object): Promise<void> {
  let piece = "";
  for (const text of jsonOf(document)) {
    piece += text;
    if (piece.length < pieceLength) continue;
    if (!(await written(terminal.output, piece))) return;
    piece = "";
  }
  await written(terminal.output, `${piece}\n`);
}

function* jsonOf(value: unknown): Generator<string> {
  if (typeof value !== "object" || value === null) {
    yield JSON.stringify(value);
  } else if (Symbol.iterator in value) {
    yield* listOf(value as Iterable<unknown>);
  } else if (Object.values(value).some((inner) => isLong(inner))) {
    yield* recordOf(value);
  } else {
    yield JSON.stringify(value);
  }
}

/** Whether a value holds a list that must not be made whole. */
function isLong(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return false;
  if (Symbol.iterator in value) return true;
  return Object.values(value).some(isLong);
}

function* listOf(items: Iterable<unknown>): Generator<string> {
  let separator = "[";
  for (const item of items) {
    yield separator;
    yield* jsonOf(item);
    separator = ",";
  }
  yield separator === "[" ? "[]" : "]";
}

function* recordOf(record: object): Generator<string> {
  let separator = "{";
  for (const [name, value] of Object.entries(record)) {
    if (value === undefined) continue;
    yield `${separator}${JSON.stringify(name)}:`;
    yield* jsonOf(value);
    separator = ",";
  }
  yield separator === "{" ? "{}" : "}";
}
