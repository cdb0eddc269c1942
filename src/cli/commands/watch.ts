import type { WatchEvent } from "../../app/watch/watch-event.ts";
import { watchFolder } from "../../app/watch/watch-folder.ts";
import type { OnTransferEvent } from "../../evidence/progress.ts";
import type { Context } from "../context.ts";
import { exitCodeOfMany } from "../exit.ts";
import { wantsJson, withClient } from "../given.ts";
import type { Typed } from "../input.ts";
import { stoppable } from "../interrupted.ts";
import { watchLines } from "../ui/watch-lines.ts";
import { watchAsked, watchRequest } from "../watch-asked.ts";

const howToGoOn = "What was taken is kept. The same command goes on where this one was.";

/** `exhibit watch`: runs until it is told to stop, or, with `--once`, until what is there has been taken. */
export async function run(context: Context, typed: Typed): Promise<number> {
  const { terminal, signal } = context;
  if (typed.options["printService"] === true) {
    await (await import("./watch-service.ts")).run(context, typed);
    return 0;
  }
  const asked = await watchAsked(context, typed);
  const lines = watchLines(terminal, {
    json: wantsJson(typed),
    once: typed.options["once"] === true,
  });
  let isToldOfOutage = false;
  const tell = (event: WatchEvent): void => {
    if (event.type === "taken") isToldOfOutage = false;
    lines(event);
  };
  // In mid-transfer the engine itself waits for a store that is gone: told once, until something has arrived again.
  const onEvent: OnTransferEvent = (event) => {
    if (event.type !== "waiting" || isToldOfOutage) return;
    isToldOfOutage = true;
    const { reason, seconds } = event;
    tell({ type: "trouble", code: "unavailable.store", message: `${reason}.`, seconds });
  };
  return withClient(
    context,
    typed,
    async (client, settings) => {
      const watched = await client.watchFolder(asked.folder, settings.store);
      try {
        const { taken, failed } = await stoppable(signal, howToGoOn, () =>
          watchFolder(client, watched, watchRequest(asked, settings), signal, tell),
        );
        return exitCodeOfMany(taken, failed);
      } finally {
        watched.close();
      }
    },
    onEvent,
  );
}
