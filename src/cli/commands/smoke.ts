import { smoke } from "../../app/smoke.ts";
import type { SmokeStep } from "../../app/smoke-steps.ts";
import { parseDuration } from "../../evidence/quantities.ts";
import type { Context } from "../context.ts";
import { exitCodeOf } from "../exit.ts";
import { wantsJson, withClient } from "../given.ts";
import { stoppable } from "../interrupted.ts";
import type { Typed } from "../input.ts";
import { storeGiven } from "../store-given.ts";
import { note, printResult, table } from "../ui/result.ts";
import { spin } from "../ui/spinner.ts";
import { themeFor } from "../ui/theme.ts";
import { visible } from "../ui/visible.ts";

const words: Readonly<Record<SmokeStep["outcome"], string>> = {
  ok: "ok",
  failed: "FAILED",
  "left-out": "left out",
  "not-reached": "not reached",
};

/** `exhibit smoke [STORE]`: the exit code is that of what went wrong first. */
export async function run(context: Context, typed: Typed): Promise<number> {
  const { terminal, signal } = context;
  const json = wantsJson(typed);
  const timeoutMs = parseDuration(String(typed.options["timeout"]), "--timeout") * 1000;
  const { failure, ...smoked } = await withClient(context, typed, (client, settings) =>
    spin(terminal, json, "Making a round trip", () =>
      stoppable(signal, "What it had begun was erased.", () =>
        smoke(client, { ...storeGiven(typed, settings), timeoutMs }, signal),
      ),
    ),
  );
  const { steps, totalMs } = smoked;
  const wrong =
    failure === undefined
      ? {}
      : { failure: { code: failure.code, message: failure.message, hint: failure.hint } };
  const document = { schema: "exhibit.smoke/1", ok: failure === undefined, ...smoked, ...wrong };
  printResult(terminal, json, document, (theme) =>
    table(
      ["STEP", "OUTCOME", "MS", ""],
      steps.map(({ step, outcome, ms, words: found }) => [
        step,
        words[outcome],
        ms === undefined ? "" : String(ms),
        found ?? "",
      ]),
      { heading: terminal.outputIsTerminal, theme },
    ),
  );
  if (failure === undefined) {
    note(
      terminal,
      json,
      `${themeFor(terminal.color).good("✔")} ${totalMs} ms, and nothing is left`,
    );
    return 0;
  }
  note(
    terminal,
    json,
    visible(failure.message),
    ...(failure.hint === undefined ? [] : [visible(failure.hint)]),
  );
  return exitCodeOf(failure.code);
}
