import { closeSync } from "node:fs";
import { isatty } from "node:tty";

const standard = [0, 1, 2] as const;

/**
 * Nobody reads any more what is printed: a reader that has seen enough (`| head`: EPIPE), or a terminal that was closed (EIO). Neither
 * is a failure, and nothing that cannot be printed must end a transfer.
 *
 * @returns whatever else kept the result from being printed, such as a full disk: something to tell once all is done
 */
export function outliveReaders(process: NodeJS.Process): () => Error | undefined {
  let unwritten: Error | undefined;
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE" && error.code !== "EIO") unwritten ??= error;
  });
  // There is no other place to say that this one cannot be written to.
  process.stderr.on("error", () => undefined);
  const terminals = standard.filter((descriptor) => isatty(descriptor));
  process.once("exit", () => {
    // Node gives terminals their old settings back when it ends, and crashes, with a core dump, on one that is no longer there.
    for (const descriptor of terminals) if (!isatty(descriptor)) closeSync(descriptor);
  });
  return () => unwritten;
}
