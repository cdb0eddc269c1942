import { examineStore } from "../../app/examine-store.ts";
import type { DoctorFinding, Verdict } from "../../evidence/ports/doctor.ts";
import type { Context } from "../context.ts";
import { exitCodeOf } from "../exit.ts";
import { givenSettings, wantsJson, withClient } from "../given.ts";
import type { Typed } from "../input.ts";
import { storeGiven } from "../store-given.ts";
import { note, printResult, table } from "../ui/result.ts";
import { spin } from "../ui/spinner.ts";

const words: Readonly<Record<Verdict, string>> = {
  ok: "ok",
  "will-not-work": "WILL NOT WORK",
  unknown: "not known",
};

/** `exhibit doctor`: this machine; `exhibit doctor STORE`: a store. The exit code is that of the first thing that will not work. */
export async function run(context: Context, typed: Typed): Promise<number> {
  const isNamed = typed.args[0] !== undefined || typed.options["store"] !== undefined;
  const findings = await (isNamed ? examineNamed : examineHere)(context, typed);
  const bad = findings.find(({ verdict }) => verdict === "will-not-work");
  return bad === undefined ? 0 : exitCodeOf(bad.code ?? "policy.not-permitted");
}

async function examineHere(context: Context, typed: Typed): Promise<readonly DoctorFinding[]> {
  const { terminal, signal, machine } = context;
  const json = wantsJson(typed);
  const findings = await spin(terminal, json, "Looking at this machine", () =>
    machine.examine(givenSettings(typed), signal),
  );
  const examinedAt = new Date().toISOString();
  print(context, json, { schema: "exhibit.doctor-machine/1", examinedAt, findings });
  return findings;
}

async function examineNamed(context: Context, typed: Typed): Promise<readonly DoctorFinding[]> {
  const { terminal, signal } = context;
  const json = wantsJson(typed);
  const examined = await withClient(context, typed, (client, settings) =>
    spin(terminal, json, "Asking the store", () =>
      examineStore(client, storeGiven(typed, settings), signal),
    ),
  );
  const { findings = [] } = examined;
  print(context, json, { schema: "exhibit.doctor/1", ...examined, findings });
  if (examined.findings === undefined) {
    note(
      terminal,
      json,
      `Of the store ${examined.name} there is nothing to ask beyond exhibit store check.`,
    );
  }
  return findings;
}

interface Examination extends Readonly<Record<string, unknown>> {
  readonly schema: string;
  readonly findings: readonly DoctorFinding[];
}

function print({ terminal }: Context, json: boolean, document: Examination): void {
  const { findings } = document;
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
}
