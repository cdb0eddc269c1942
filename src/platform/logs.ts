import { appendFile } from "node:fs";
import { rename, stat } from "node:fs/promises";
import { promisify } from "node:util";
import pino, { type Logger } from "pino";

const append = promisify(appendFile);

/** A log that is written behind its server's back; `close` waits for what is under way. */
export interface Log {
  readonly logger: Logger;
  close(): Promise<void>;
}

/** What may wait for a slow disk, in characters. */
const maxWaiting = 1024 * 1024;

/** A file that has grown beyond this becomes `FILE.1`, in the place of the one before. */
const maxFileBytes = 64 * 1024 * 1024;

/**
 * Structured logs, one JSON line each, to a file of this user's, or to stderr. What must never be in a log
 * (`authorization`, cookies) is cut out here as well as where it is written. Lines that a full, slow or broken disk
 * does not take are lost: a log never stops its server.
 */
export function openLog(file: string | undefined, rotateAtBytes = maxFileBytes): Log {
  const lines = new LogLines(file, rotateAtBytes);
  const logger = pino(
    {
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      redact: {
        paths: ["req.headers.authorization", "req.headers.cookie", "headers.authorization"],
        remove: true,
      },
    },
    lines,
  );
  return { logger, close: () => lines.written() };
}

class LogLines {
  readonly #file: string | undefined;
  readonly #rotateAtBytes: number;
  #waiting = "";
  #writing: Promise<void> | undefined;

  constructor(file: string | undefined, rotateAtBytes: number) {
    this.#file = file;
    this.#rotateAtBytes = rotateAtBytes;
  }

  write(line: string): void {
    if (this.#waiting.length + line.length > maxWaiting) return;
    this.#waiting += line;
    this.#writing ??= this.#writeOn();
  }

  async written(): Promise<void> {
    await this.#writing;
  }

  async #writeOn(): Promise<void> {
    while (this.#waiting !== "") {
      const lines = this.#waiting;
      this.#waiting = "";
      try {
        await append(this.#file ?? 2, lines, { mode: 0o600 });
        await this.#rotate();
      } catch {
        // These are lost; the next ones may find room again.
      }
    }
    this.#writing = undefined;
  }

  async #rotate(): Promise<void> {
    if (this.#file === undefined) return;
    const { size } = await stat(this.#file);
    if (size >= this.#rotateAtBytes) await rename(this.#file, `${this.#file}.1`);
  }
}
