import { examineSignIn } from "../../app/examine-sign-in.ts";
import type { Verdict } from "../../evidence/ports/doctor.ts";
import type { Context } from "../context.ts";
import { exitCodeOf } from "../exit.ts";
import { wantsJson, withClient } from "../given.ts";
import type { Typed } from "../input.ts";
import { pageShower } from "../sign-in-page.ts";
import { storeGiven } from "../store-given.ts";
import { printResult } from "../ui/result.ts";
import { visible } from "../ui/visible.ts";

const words: Readonly<Record<Verdict, string>> = {
  ok: "ok",
  "will-not-work": "WILL NOT WORK",
  unknown: "look at this",
};

/** `exhibit doctor sso [STORE]`: exit code 9 when something will not work. */
export async function run(context: Context, typed: Typed): Promise<number> {
  const { terminal, signal } = context;
  const json = wantsJson(typed);
  const examined = await withClient(context, typed, (client, settings) => {
    const showPage =
      typed.options["signIn"] === true ? pageShower(context, typed, client) : undefined;
    return examineSignIn(client, { ...storeGiven(typed, settings), showPage }, signal);
  });
  const { findings } = examined;
  printResult(terminal, json, { schema: "exhibit.doctor-sso/1", ...examined }, (theme) =>
    findings.flatMap(({ id, verdict, words: text, remedy }) => [
      `${words[verdict].padEnd(13)}  ${theme.strong(id)}  ${visible(text)}`,
      ...(remedy === undefined ? [] : [`${" ".repeat(15)}${visible(remedy)}`]),
    ]),
  );
  const isBad = findings.some(({ verdict }) => verdict === "will-not-work");
  return isBad ? exitCodeOf("policy.not-permitted") : 0;
}
