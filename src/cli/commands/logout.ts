import { logout } from "../../app/logout.ts";
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
    spin(terminal, json, "Taking the enrolment back", () =>
      logout(client, storeGiven(typed, settings), signal),
    ),
  );
  printResult(terminal, json, { schema: "exhibit.logout/1", ...result }, () => []);
  note(
    terminal,
    json,
    result.wasEnrolled
      ? `This machine is no longer enrolled at ${result.url}; its key is deleted. What it sent stays.`
      : `This machine was not enrolled at ${result.url}.`,
  );
}
