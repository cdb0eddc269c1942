import { listUploads } from "../../app/uploads.ts";
import { formatAddress } from "../../evidence/address.ts";
import { formatSize } from "../../evidence/quantities.ts";
import { atStore } from "../at-store.ts";
import type { Context } from "../context.ts";
import { wantsJson, withClient } from "../given.ts";
import type { Typed } from "../input.ts";
import { note, printResult, table, toTheSecond } from "../ui/result.ts";
import { visible } from "../ui/visible.ts";

/** `exhibit uploads list`. */
export async function run(context: Context, typed: Typed): Promise<undefined> {
  const { terminal } = context;
  const json = wantsJson(typed);
  const result = await withClient(context, typed, (client, settings) =>
    listUploads(client, atStore(settings), context.signal),
  );
  const { uploads, jobs } = result;
  printResult(terminal, json, { schema: "exhibit.uploads/1", ...result }, (theme) =>
    table(
      ["UPLOAD", "EXHIBIT", "ARRIVED", "BEGUN", "KEPT UNTIL", "FILE"],
      uploads.map((upload) => [
        upload.id,
        formatAddress(upload),
        `${formatSize(upload.receivedBytes)} of ${formatSize(upload.sizeBytes)}`,
        toTheSecond(upload.startedAt),
        upload.expiresAt?.slice(0, 10) ?? "-",
        upload.location ?? "-",
      ]),
      { heading: terminal.outputIsTerminal && uploads.length > 0, theme },
    ),
  );
  const unfinished = jobs.map(
    (job) =>
      `Command ${job.id} of ${toTheSecond(job.startedAt)}: case ${visible(job.case)}, ${visible(job.paths.join(", "))}`,
  );
  note(
    terminal,
    json,
    ...(uploads.length + jobs.length === 0 ? ["Nothing is unfinished."] : unfinished),
    ...(jobs.length === 0
      ? []
      : ["exhibit resume goes on with these, exhibit uploads resume ID with one."]),
  );
}
