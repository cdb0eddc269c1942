import { logout, type LogoutResult } from "../../app/logout.ts";
import { isBoxAddress } from "../../evidence/box-address.ts";
import type { Context } from "../context.ts";
import { exitCodeOf } from "../exit.ts";
import { wantsJson, withClient } from "../given.ts";
import type { Typed } from "../input.ts";
import { storeGiven } from "../store-given.ts";
import { note, printResult, warn } from "../ui/result.ts";
import { spin } from "../ui/spinner.ts";

/** `exhibit logout [STORE|URL]`. */
export async function run(context: Context, typed: Typed): Promise<number> {
  const { terminal, signal } = context;
  const json = wantsJson(typed);
  const result = await withClient(context, typed, (client, settings) =>
    spin(terminal, json, "Logging out", () => logout(client, storeGiven(typed, settings), signal)),
  );
  printResult(terminal, json, { schema: "exhibit.logout/1", ...result }, () => []);
  if (result.login !== "forgotten") {
    note(terminal, json, wordsFor(result));
    return 0;
  }
  warn(terminal, forgottenWords(result));
  return exitCodeOf("partial.failed");
}

function forgottenWords({ url }: LogoutResult): string {
  const [who, remedy] = isBoxAddress(url)
    ? [
        "Box",
        "have the application's client secret renewed in Box's developer console (its settings may have changed there: that is why Box refused)",
      ]
    : [
        "the force's sign-in service",
        "have your IT end your sessions there (Entra ID: Users, your name, Revoke sessions); exhibit doctor sso says what is wrong with the application",
      ];
  return `This machine has forgotten its login at ${url}, but ${who} refused to end it: a copy of it, say in a backup, stays good until it runs out. To be sure, ${remedy}.`;
}

function wordsFor({ url, wasEnrolled }: LogoutResult): string {
  if (isBoxAddress(url)) {
    return wasEnrolled
      ? `This machine is no longer signed in at ${url}; the login is ended and forgotten. What it sent stays.`
      : `This machine was not signed in at ${url}.`;
  }
  return wasEnrolled
    ? `This machine is no longer enrolled at ${url}; its key is deleted. What it sent stays.`
    : `This machine was not enrolled at ${url}.`;
}
