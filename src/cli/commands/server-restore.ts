import path from "node:path";
import { z } from "zod";
import { backupLines } from "../backup-lines.ts";
import type { Context } from "../context.ts";
import { wantsJson } from "../given.ts";
import { missing, parseOptions, type Typed } from "../input.ts";
import { readPassphrase } from "../passphrase.ts";
import { note, printResult, toTheSecond } from "../ui/result.ts";
import { visible } from "../ui/visible.ts";

const optionsSchema = z.object({
  data: z.string().min(1, "must not be empty"),
  decryptWith: z.string().min(1, "must not be empty").optional(),
});

/** `exhibit server restore FILE --data DIR`. */
export async function run(context: Context, typed: Typed): Promise<undefined> {
  const { terminal, machine, signal } = context;
  const json = wantsJson(typed);
  const { data, decryptWith } = parseOptions(optionsSchema, typed);
  const [file] = z.tuple([z.string().min(1)]).parse(typed.args);
  const servers = await machine.servers();
  const restored = await servers.restore(
    {
      file: path.resolve(file),
      dataDir: path.resolve(data),
      passphrase: () => {
        if (decryptWith === undefined) return Promise.reject(missing("--decrypt-with"));
        return readPassphrase(decryptWith, terminal);
      },
    },
    signal,
  );
  printResult(terminal, json, { schema: "exhibit.server-restore/1", ...restored }, (theme) => [
    `Restored into ${visible(restored.dataDir)}`,
    "",
    ...backupLines(restored, theme),
  ]);
  const { dataDir, content, server } = restored;
  const words = [
    "exhibit serve --rebuild-index",
    `--data ${quoted(dataDir)}`,
    ...(content === "folder" ? [] : [`--store ${quoted(content)}`]),
    ...(server.publicUrl === undefined ? [] : [`--public-url ${server.publicUrl}`]),
    ...(server.organisation === undefined ? [] : [`--organisation ${quoted(server.organisation)}`]),
  ];
  note(
    terminal,
    json,
    "",
    ...(content === "folder"
      ? [`Put the content into ${visible(path.join(dataDir, "content"))} before you start it.`]
      : []),
    "The old server must never run again: two with one key would both sign.",
    `Whatever was taken back after ${toTheSecond(restored.madeAt)} is open again: identities, invitations, shares, and old links of renewed ones.`,
    "Take it back again before you let anybody reach this server: exhibit identity report, exhibit share list.",
    "Exhibits that came after the backup are found in the content when it starts so (with the network options it had):",
    `  ${visible(words.join(" "))}`,
  );
}

function quoted(word: string): string {
  return /^[\w./:-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
