import { logout, type LogoutResult } from "../../app/logout.ts";
import { isBoxAddress } from "../../evidence/box-address.ts";
import type { Context } from "../context.ts";
import { wantsJson, withClient } from "../given.ts";
import type { Typed } from "../input.ts";
import { storeGiven } from "../store-given.ts";
import { note, printResult } from "../ui/result.ts";
import { spin } from "../ui/spinner.ts";

/** `exhibit logout [STORE|URL]`. */
export async function run(context: Context, typed: Typed): Promise<undefined> {
  const { terminal, signal } = context;
  const json = wantsJson(typed);
  const result = await withClient(context, typed, (client, settings) =>
    spin(terminal, json, "Logging out", () => logout(client, storeGiven(typed, settings), signal)),
  );
  printResult(terminal, json, { schema: "exhibit.logout/1", ...result }, () => []);
  note(terminal, json, wordsFor(result));
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
