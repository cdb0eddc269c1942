import type { Context } from "../context.ts";
import { wantsJson } from "../given.ts";
import type { Typed } from "../input.ts";
import { note, printResult } from "../ui/result.ts";

/** `exhibit key distrust --key KEY`. */
export async function run({ terminal, machine }: Context, typed: Typed): Promise<undefined> {
  const thumbprint = String(typed.options["key"]);
  const wasTrusted = await (await machine.stores()).distrust(thumbprint);
  const json = wantsJson(typed);
  const document = { schema: "exhibit.key-distrusted/1", thumbprint, wasTrusted };
  printResult(terminal, json, document, () => [thumbprint]);
  note(
    terminal,
    json,
    wasTrusted ? "What it has signed counts no more here." : "It was not trusted here.",
  );
}
