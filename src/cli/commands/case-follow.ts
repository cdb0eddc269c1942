import { followCase } from "../../app/inbox.ts";
import { atStore } from "../at-store.ts";
import type { Context } from "../context.ts";
import { wantsJson, withClient } from "../given.ts";
import type { Typed } from "../input.ts";
import { printResult } from "../ui/result.ts";

/** `exhibit case follow CASE`, and `exhibit case unfollow CASE`. */
export async function run(context: Context, typed: Typed): Promise<undefined> {
  await set(context, typed, true);
}

export async function runUnfollow(context: Context, typed: Typed): Promise<undefined> {
  await set(context, typed, false);
}

async function set(context: Context, typed: Typed, follow: boolean): Promise<void> {
  const caseRef = String(typed.args[0]);
  const result = await withClient(context, typed, (client, settings) =>
    followCase(client, { ...atStore(settings), case: caseRef, follow }, context.signal),
  );
  printResult(
    context.terminal,
    wantsJson(typed),
    { schema: "exhibit.case-follow/1", ...result },
    () => [result.case],
  );
}
