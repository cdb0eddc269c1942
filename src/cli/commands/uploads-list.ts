import { listUploads } from "../../app/uploads.ts";
import { formatAddress } from "../../evidence/address.ts";
import { formatDuration, formatSize } from "../../evidence/quantities.ts";
import { atStore } from "../at-store.ts";
import type { Context } from "../context.ts";
import { wantsJson, withClient } from "../given.ts";
import type { Typed } from "../input.ts";
import { note, printResult, warn, table, toTheSecond } from "../ui/result.ts";
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
      ["UPLOAD", "EXHIBIT", "ARRIVED", "BEGUN", "AGE", "KEPT UNTIL", "FILE"],
      uploads.map((upload) => [
        upload.id,
        formatAddress(upload),
        `${formatSize(upload.receivedBytes)} of ${formatSize(upload.sizeBytes)}`,
        toTheSecond(upload.startedAt),
        formatDuration((Date.now() - Date.parse(upload.startedAt)) / 1000),
        upload.expiresAt?.slice(0, 10) ?? "-",
        upload.location ?? "-",
      ]),
      { heading: terminal.outputIsTerminal && uploads.length > 0, theme },
    ),
  );
  for (const upload of uploads.filter(({ isRunningOut }) => isRunningOut)) {
    warn(
      terminal,
      `The store forgets ${upload.id} (${formatAddress(upload)}) on ${toTheSecond(upload.expiresAt ?? "")}. Finish it before then, or all of it must be sent again.`,
    );
  }
  const heldBytes = uploads.reduce((sum, { receivedBytes }) => sum + receivedBytes, 0);
  const unfinished = jobs.map(
    (job) =>
      `Command ${job.id} of ${toTheSecond(job.startedAt)}: ${job.case === undefined ? "" : `case ${visible(job.case)}, `}${visible(job.paths.join(", "))}`,
  );
  note(
    terminal,
    json,
    ...(uploads.length + jobs.length === 0 ? ["Nothing is unfinished."] : unfinished),
    ...(heldBytes === 0
      ? []
      : [
          `What has arrived takes ${formatSize(heldBytes)} of the store until it is finished or given up (exhibit uploads abort ID).`,
        ]),
    ...(jobs.length === 0
      ? []
      : ["exhibit resume goes on with these, exhibit uploads resume ID with one."]),
  );
}
