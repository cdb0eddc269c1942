import { examineStore } from "../../app/examine-store.ts";
import type { Verdict } from "../../evidence/ports/doctor.ts";
import type { Context } from "../context.ts";
import { exitCodeOf } from "../exit.ts";
import { wantsJson, withClient } from "../given.ts";
import type { Typed } from "../input.ts";
import { storeGiven } from "../store-given.ts";
import { note, printResult, table } from "../ui/result.ts";
import { spin } from "../ui/spinner.ts";

const words: Readonly<Record<Verdict, string>> = {
  ok: "ok",
  "will-not-work": "WILL NOT WORK",
  unknown: "not known",
};

/** `exhibit doctor [STORE]`: exit code 9 when something will not work. */
export async function run(context: Context, typed: Typed): Promise<number> {
  const { terminal, signal } = context;
  const json = wantsJson(typed);
  const examined = await withClient(context, typed, (client, settings) =>
    spin(terminal, json, "Asking the store", () =>
      examineStore(client, storeGiven(typed, settings), signal),
    ),
  );
  const { findings = [] } = examined;
  const document = { schema: "exhibit.doctor/1", ...examined, findings };
  printResult(terminal, json, document, (theme) =>
    table(
      ["VERDICT", "WHAT", "", ""],
      findings.map(({ id, verdict, words: text, remedy }) => [
        words[verdict],
        id,
        text,
        remedy ?? "",
      ]),
      { heading: terminal.outputIsTerminal && findings.length > 0, theme },
    ),
  );
  if (examined.findings === undefined) {
    note(
      terminal,
      json,
      `Of the store ${examined.name} there is nothing to ask beyond exhibit store check.`,
    );
  }
  const isBad = findings.some(({ verdict }) => verdict === "will-not-work");
  return isBad ? exitCodeOf("policy.not-permitted") : 0;
}
