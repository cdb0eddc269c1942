import { WrongRows, type CheckedList } from "../../app/csv/check-rows.ts";
import { upload, type OnOutcome } from "../../app/upload.ts";
import { initialsSchema } from "../../evidence/reference.ts";
import type { Context } from "../context.ts";
import { csvAsked } from "../csv-asked.ts";
import { exitCodeOfMany } from "../exit.ts";
import { wantsJson, withTransfer } from "../given.ts";
import type { Typed } from "../input.ts";
import { stoppable } from "../interrupted.ts";
import { ask } from "../ui/prompt.ts";
import { RowLines } from "../ui/row-lines.ts";
import { withSettings } from "../upload-asked.ts";
import { foresee, howToGoOn, initialsQuestion, reported } from "./upload.ts";

/** `exhibit upload --csv`: a line a row as soon as it is known what became of it. */
export async function run(context: Context, typed: Typed): Promise<number> {
  const json = wantsJson(typed);
  const asked = await csvAsked(context, typed);
  const lines = new RowLines(context.terminal, json);
  try {
    if (typed.options["dryRun"] === true) return await foresee(context, typed, asked);
    return await withTransfer(context, typed, "Sending", async (client, settings, endProgress) => {
      const result = await reported(typed, (onReport) => {
        const onOutcome: OnOutcome = (outcome) => {
          onReport(outcome);
          lines.outcome(outcome);
        };
        const onList = (list: CheckedList): void => {
          lines.list(list);
        };
        const askInitials = async (): Promise<string> =>
          initialsSchema.parse(await ask(initialsQuestion, { ...context, json }));
        return stoppable(context.signal, howToGoOn, () =>
          upload(client, withSettings(asked, settings), context.signal, {
            askInitials,
            onOutcome,
            onList,
          }),
        );
      });
      endProgress();
      lines.end(result);
      return exitCodeOfMany(result.exhibits.count, result.failed);
    });
  } catch (error) {
    if (error instanceof WrongRows) lines.wrong(error);
    throw error;
  }
}
