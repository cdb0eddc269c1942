import path from "node:path";
import type { ServiceSystem } from "../../evidence/ports/services.ts";
import type { Context } from "../context.ts";
import { wantsJson } from "../given.ts";
import type { Typed } from "../input.ts";
import { serviceArgv } from "../service-argv.ts";
import { note, printResult } from "../ui/result.ts";
import { watchAsked } from "../watch-asked.ts";

/** `exhibit watch --print-service`: the service on stdout, what to do with it on stderr. */
export async function run(context: Context, typed: Typed): Promise<undefined> {
  const { folder, once } = await watchAsked(context, typed);
  const services = await context.machine.services();
  const system = (typed.options["for"] as ServiceSystem | undefined) ?? services.system ?? "linux";
  const plain = path
    .basename(folder)
    .replace(/[^A-Za-z0-9]+/g, "-")
    .toLowerCase();
  const service = {
    name: `exhibit-watch-${plain.replace(/^-+|-+$/g, "") || "folder"}`,
    description: "exhibit: takes what comes into a folder as evidence",
    argv: serviceArgv(["watch", folder], typed, ["printService", "for", "progress", "json"]),
    kind: once ? "ends" : "stays",
  } as const;
  const { file, text, steps } = services.print(service, system);
  const json = wantsJson(typed);
  printResult(
    context.terminal,
    json,
    { schema: "exhibit.service/1", name: service.name, system, file, text, steps },
    () => [text.trimEnd()],
  );
  note(context.terminal, json, ...steps);
}
