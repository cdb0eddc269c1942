import { closeSync } from "node:fs";
import { isatty } from "node:tty";

const standard = [0, 1, 2] as const;

/**
 * Nobody reads any more what is printed: a reader that has seen enough (`| head`: EPIPE), or a terminal that was closed (EIO). Neither
 * is a failure, and neither must end a transfer.
 */
export function outliveReaders(process: NodeJS.Process): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on("error", (error: NodeJS.ErrnoException) => {
      if (error.code !== "EPIPE" && error.code !== "EIO") throw error;
    });
  }
  const terminals = standard.filter((descriptor) => isatty(descriptor));
  process.once("exit", () => {
    // Node gives terminals their old settings back when it ends, and crashes, with a core dump, on one that is no longer there.
    for (const descriptor of terminals) if (!isatty(descriptor)) closeSync(descriptor);
  });
}
