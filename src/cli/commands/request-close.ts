import { closeRequest } from "../../app/requests.ts";
import { atStore } from "../at-store.ts";
import type { Context } from "../context.ts";
import { wantsJson, withClient } from "../given.ts";
import type { Typed } from "../input.ts";
import { printResult } from "../ui/result.ts";

/** `exhibit request close ID`. */
export async function run(context: Context, typed: Typed): Promise<undefined> {
  const { terminal, signal } = context;
  const json = wantsJson(typed);
  const id = String(typed.args[0]);
  const closed = await withClient(context, typed, (client, settings) =>
    closeRequest(client, { ...atStore(settings), id }, signal),
  );
  printResult(terminal, json, { schema: "exhibit.request-closed/1", ...closed }, () => [
    `${closed.request.id}  ${closed.request.state}`,
  ]);
}
