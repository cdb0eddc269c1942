import { ExhibitError } from "../evidence/errors.ts";

/** Starts to listen, and says in words why it cannot be. @throws ExhibitError `conflict.locked`, `usage.invalid` */
export async function listen(
  start: () => Promise<unknown>,
  host: string,
  port: number,
  hint = "Choose another with --port or --host.",
): Promise<void> {
  try {
    await start();
  } catch (cause) {
    const words: Record<string, string> = {
      EADDRINUSE: `Another program already listens on port ${port}.`,
      EACCES: `This account may not listen on port ${port}.`,
      EADDRNOTAVAIL: `${host} is not an address of this computer.`,
      ENOTFOUND: `${host} is not an address of this computer.`,
    };
    const message = words[(cause as NodeJS.ErrnoException).code ?? ""];
    if (message === undefined) throw cause;
    throw new ExhibitError(
      (cause as NodeJS.ErrnoException).code === "EADDRINUSE" ? "conflict.locked" : "usage.invalid",
      message,
      { hint, cause },
    );
  }
}
