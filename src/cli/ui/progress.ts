import type { OnTransferEvent, TransferEvent } from "../../evidence/progress.ts";
import type { Terminal } from "./terminal.ts";
import { Tally } from "./progress/tally.ts";
import { toldAlways } from "./progress/told-always.ts";

/** `auto`: bars on a live terminal, else plain lines. `json`: one JSON line an event on stderr. */
export type ProgressMode = "auto" | "json" | "none";

export interface Progress {
  readonly onEvent: OnTransferEvent;
  /** Takes the bars away, so that the result stands alone. Safe to repeat. */
  stop(): void;
}

/** Shows how a transfer goes, on stderr; `started` is the verb it begins with: "Sending". What must be told in any case is, with `json` as JSON. */
export async function openProgress(
  terminal: Terminal,
  mode: ProgressMode,
  started: string,
  signal: AbortSignal,
  json: boolean,
): Promise<Progress> {
  const always = (event: TransferEvent): boolean => toldAlways(terminal, json, event);
  if (mode === "none") return { onEvent: (event) => void always(event), stop: () => undefined };
  if (mode === "json") {
    const onEvent: OnTransferEvent = (event) => {
      terminal.error.write(`${JSON.stringify(event)}\n`);
    };
    return { onEvent, stop: () => undefined };
  }
  const tally = new Tally();
  if (terminal.live) {
    const { bars } = await import("./progress/bars.ts");
    let view: ReturnType<typeof bars> | undefined;
    const onAbort = (): void => {
      tally.stopping = true;
      view?.update();
    };
    signal.addEventListener("abort", onAbort, { once: true });
    return {
      onEvent(event) {
        tally.take(event, performance.now());
        if (event.type === "file-hashed" || event.type === "needed-by") {
          // The bars are drawn anew below the line.
          view?.stop();
          view = undefined;
          always(event);
          return;
        }
        // Nothing is drawn before there is something to count: a password prompt or an error may come first.
        view ??= bars(terminal, tally);
        view.update();
      },
      stop() {
        signal.removeEventListener("abort", onAbort);
        view?.stop();
        view = undefined;
      },
    };
  }
  const { Lines } = await import("./progress/lines.ts");
  const lines = new Lines(terminal, tally, started);
  return {
    onEvent(event) {
      tally.take(event, performance.now());
      if (!always(event)) lines.take(event);
    },
    stop() {
      lines.stop();
    },
  };
}
