import { abortUpload } from "../../app/uploads.ts";
import { formatAddress } from "../../evidence/address.ts";
import { formatSize } from "../../evidence/quantities.ts";
import { atStore } from "../at-store.ts";
import type { Context } from "../context.ts";
import { wantsJson, withClient } from "../given.ts";
import type { Typed } from "../input.ts";
import { note, printResult } from "../ui/result.ts";

/** `exhibit uploads abort UPLOAD`. */
export async function run(context: Context, typed: Typed): Promise<undefined> {
  const target = String(typed.args[0]);
  const result = await withClient(context, typed, (client, settings) =>
    abortUpload(client, { ...atStore(settings), target }, context.signal),
  );
  const json = wantsJson(typed);
  printResult(context.terminal, json, { schema: "exhibit.uploads-abort/1", ...result }, () =>
    result.aborted.map((upload) => `${upload.id}  ${formatAddress(upload)}`),
  );
  const bytes = result.aborted.reduce((sum, upload) => sum + upload.receivedBytes, 0);
  note(
    context.terminal,
    json,
    `Given up: ${result.aborted.length} unfinished uploads (${formatSize(bytes)} had arrived), ${result.jobs.length} commands of this machine.`,
    "What has arrived whole is evidence and stays.",
  );
}
