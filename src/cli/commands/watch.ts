import { watchFolder } from "../../app/watch/watch-folder.ts";
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
  const asked = await watchAsked(context, typed);
  return withClient(context, typed, async (client, settings) => {
    const watched = await client.watchFolder(asked.folder, settings.store);
    const tell = watchLines(terminal, wantsJson(typed));
    try {
      const { taken, failed } = await stoppable(signal, howToGoOn, () =>
        watchFolder(client, watched, watchRequest(asked, settings), signal, tell),
      );
      return exitCodeOfMany(taken, failed);
    } finally {
      watched.close();
    }
  });
}
