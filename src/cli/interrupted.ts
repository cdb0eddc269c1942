/** The person, or the system, asked this program to stop. */
export class Interrupted extends Error {
  override readonly name = "Interrupted";
  readonly signalName: "SIGINT" | "SIGTERM";
  /** How to go on later. */
  readonly hint: string | undefined;

  constructor(signalName: "SIGINT" | "SIGTERM", hint?: string) {
    super("Stopped as asked.");
    this.signalName = signalName;
    this.hint = hint;
  }
}

/** The interruption that a signal was aborted with, told with `hint`; undefined while it is not aborted. */
export function interruptionOf(signal: AbortSignal, hint?: string): Interrupted | undefined {
  if (!signal.aborted) return undefined;
  const reason: unknown = signal.reason;
  return new Interrupted(reason instanceof Interrupted ? reason.signalName : "SIGINT", hint);
}

/** Does what a person may stop; the interruption then says how to go on. */
export async function stoppable<Result>(
  signal: AbortSignal,
  howToGoOn: string,
  work: () => Promise<Result>,
): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    throw interruptionOf(signal, howToGoOn) ?? error;
  }
}
