import path from "node:path";
import { z } from "zod";
import { formatSize } from "../../evidence/quantities.ts";
import { backupLines } from "../backup-lines.ts";
import type { Context } from "../context.ts";
import { wantsJson } from "../given.ts";
import { parseOptions, type Typed } from "../input.ts";
import { readPassphrase } from "../passphrase.ts";
import { note, printResult } from "../ui/result.ts";
import { visible } from "../ui/visible.ts";

const optionsSchema = z.object({
  data: z.string().min(1, "must not be empty").optional(),
  encryptWith: z.string().min(1, "must not be empty").optional(),
});

/** `exhibit server backup TARGET`. */
export async function run(context: Context, typed: Typed): Promise<undefined> {
  const { terminal, machine, signal } = context;
  const json = wantsJson(typed);
  const { data, encryptWith } = parseOptions(optionsSchema, typed);
  const [target] = z.tuple([z.string().min(1)]).parse(typed.args);
  const passphrase =
    encryptWith === undefined ? undefined : await readPassphrase(encryptWith, terminal);
  const servers = await machine.servers();
  const made = await servers.backup(
    {
      dataDir: data === undefined ? undefined : path.resolve(data),
      target: path.resolve(target),
      passphrase,
    },
    signal,
  );
  printResult(terminal, json, { schema: "exhibit.server-backup/1", ...made }, (theme) => [
    `${made.sha256}  ${visible(made.file)}`,
    "",
    ...backupLines(made, theme),
    `${theme.quiet("Size".padEnd(14))}  ${formatSize(made.sizeBytes)}`,
  ]);
  const kept = made.encrypted
    ? "Encrypted. Keep the passphrase apart from it: without the passphrase nobody can open it."
    : "It holds the server's private key, not encrypted: whoever reads it can sign receipts in the server's name.";
  note(terminal, json, "", kept);
}
