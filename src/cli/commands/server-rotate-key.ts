import path from "node:path";
import { z } from "zod";
import type { Context } from "../context.ts";
import { wantsJson } from "../given.ts";
import { parseOptions, type Typed } from "../input.ts";
import { facts, note, printResult, toTheSecond } from "../ui/result.ts";

const optionsSchema = z.object({
  data: z.string().min(1, "must not be empty").optional(),
  oldKeyLost: z.boolean().default(false),
});

/** `exhibit server rotate-key`. */
export async function run(context: Context, typed: Typed): Promise<undefined> {
  const { terminal, machine } = context;
  const json = wantsJson(typed);
  const { data, oldKeyLost } = parseOptions(optionsSchema, typed);
  const servers = await machine.servers();
  const rotated = await servers.rotateKey({
    dataDir: data === undefined ? undefined : path.resolve(data),
    oldKeyLost,
  });
  printResult(terminal, json, { schema: "exhibit.server-key-rotated/1", ...rotated }, (theme) =>
    facts(
      [
        ["New key", rotated.thumbprint],
        ...rotated.retired.map(
          ({ thumbprint, retiredAt }) =>
            ["Retired", `${thumbprint} on ${toTheSecond(retiredAt)}`] as const,
        ),
      ],
      theme,
    ),
  );
  note(
    terminal,
    json,
    "",
    ...(oldKeyLost
      ? [
          "Nobody who is enrolled accepts this key: everyone has to log in again, with a new invitation.",
          "Start the server with --new-admin-invitation, log in with it, and invite the others anew.",
          "Invitations that are still open do not work any more.",
        ]
      : ["Whoever is enrolled, or holds an invitation, follows to the new key by themselves."]),
    "Start the server again, then make a backup: older backups hold a retired key.",
  );
}
