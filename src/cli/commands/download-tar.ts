import path from "node:path";
import { caseTar, type CaseTarRequest, type CaseTarResult } from "../../app/case-tar.ts";
import { caseSchema } from "../../evidence/case.ts";
import { ExhibitError } from "../../evidence/errors.ts";
import type { DestinationFile, DestinationWriter } from "../../evidence/ports/destination.ts";
import { counted, formatSize } from "../../evidence/quantities.ts";
import { atStore } from "../at-store.ts";
import type { Client, Context } from "../context.ts";
import { wantsJson, withTransfer } from "../given.ts";
import { checkedFlag, missing, type Typed } from "../input.ts";
import { stoppable } from "../interrupted.ts";
import { note, printResult } from "../ui/result.ts";
import type { Terminal } from "../ui/terminal.ts";
import { written } from "../ui/written.ts";

/** `exhibit download --case CASE --tar FILE|-`, and of one exhibit likewise. */
export async function run(context: Context, typed: Typed): Promise<number> {
  const { terminal, signal } = context;
  const json = wantsJson(typed);
  const of = asked(typed);
  const tar = String(typed.options["tar"]);
  if (typed.options["to"] !== undefined) {
    throw new ExhibitError("usage.invalid", "--to and --tar do not go together.", {
      hint: "Give the archive's whole path to --tar.",
    });
  }
  if (tar === "-" && terminal.outputIsTerminal) {
    throw new ExhibitError("usage.invalid", "An archive is not for a terminal.", {
      hint: "Pipe it into something (| tar x), or give --tar a file.",
    });
  }
  const result = await withTransfer(context, typed, "Fetching", (client, settings) => {
    const pack = (write: CaseTarRequest["write"]): Promise<CaseTarResult> =>
      caseTar(client, { ...atStore(settings), of, write }, signal);
    const broken = "The archive was broken off and is not to be used. Run the same command again.";
    return stoppable(signal, broken, () =>
      tar === "-"
        ? pack((bytes) => writeOut(terminal, bytes))
        : intoFile(client, path.resolve(tar), pack),
    );
  });
  const document = { schema: "exhibit.download-tar/1", archive: tar, ...result };
  if (tar !== "-") {
    printResult(terminal, json, document, () => [path.resolve(tar)]);
  } else if (json) {
    // Standard output is the archive.
    terminal.error.write(`${JSON.stringify(document)}\n`);
  }
  note(terminal, json, ...words(result));
  return 0;
}

function asked({ args, options }: Typed): CaseTarRequest["of"] {
  const caseRef = options["case"];
  if (args[0] !== undefined && caseRef !== undefined) {
    throw new ExhibitError("usage.invalid", "Name an exhibit or --case, not both.");
  }
  if (caseRef !== undefined) return { case: checkedFlag(caseSchema, caseRef, "--case") };
  if (args[0] === undefined) throw missing("--case, or an exhibit,");
  return { exhibit: args[0] as string };
}

/** @throws ExhibitError `partial.failed` when the reader has gone */
async function writeOut({ output }: Terminal, bytes: Uint8Array): Promise<void> {
  if (await written(output, bytes)) return;
  throw new ExhibitError("partial.failed", "Whoever read the archive stopped before its end.", {
    hint: "What was read is not all of it. Look at what the reading program says, and run the same command again.",
  });
}

/** The file has its name when it is whole, and not before; nothing is overwritten. */
async function intoFile(
  { destination }: Pick<Client, "destination">,
  file: string,
  pack: (write: CaseTarRequest["write"]) => Promise<CaseTarResult>,
): Promise<CaseTarResult> {
  const name = { path: path.basename(file), pathBytes: undefined };
  const place = destination.place(path.dirname(file), name);
  await requireFree(place, file);
  let writer: DestinationWriter | undefined;
  try {
    const result = await pack(async (bytes) => {
      // Not before there is something to write: a case that is not there leaves nothing behind.
      writer ??= await place.write(0);
      await writer.append(bytes);
    });
    await writer?.finish(new Date());
    return result;
  } finally {
    await writer?.close();
  }
}

async function requireFree(place: DestinationFile, file: string): Promise<void> {
  if ((await place.state()).finishedBytes === undefined) return;
  throw new ExhibitError("conflict.exists", `${file} is there already.`, {
    hint: "Nothing was overwritten. Give --tar another name.",
  });
}

function words({ exhibits, files, bytes, unfinished }: CaseTarResult): string[] {
  const lines = [
    `${counted(exhibits, "exhibit")}, ${counted(files, "file")}, ${formatSize(bytes)}: every byte is what the signed records say.`,
  ];
  if (unfinished.length === 0) return lines;
  const shown = unfinished.slice(0, 10).join(", ");
  const more = unfinished.length > 10 ? ` and ${unfinished.length - 10} more` : "";
  return [...lines, `Not in it, because they are still being uploaded: ${shown}${more}.`];
}
