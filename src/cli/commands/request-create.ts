import { z } from "zod";
import { createRequest } from "../../app/requests.ts";
import { parseDuration } from "../../evidence/quantities.ts";
import { atStore } from "../at-store.ts";
import type { Context } from "../context.ts";
import { wantsJson, withClient } from "../given.ts";
import { parseOptions, type Typed } from "../input.ts";
import { note, printResult, toTheSecond } from "../ui/result.ts";

const optionsSchema = z.object({
  case: z.string(),
  boxFileRequest: z.string(),
  title: z.string().trim().min(1, "must not be empty").max(255, "is too long").optional(),
  expires: z.string(),
});

/** `exhibit request create --case CASE --box-file-request ID`. */
export async function run(context: Context, typed: Typed): Promise<undefined> {
  const { terminal, signal } = context;
  const json = wantsJson(typed);
  const { case: caseRef, boxFileRequest, title, expires } = parseOptions(optionsSchema, typed);
  const expiresInSeconds = parseDuration(expires, "--expires");
  const made = await withClient(context, typed, (client, settings) =>
    createRequest(
      client,
      {
        ...atStore(settings),
        case: caseRef,
        template: boxFileRequest,
        ...(title === undefined ? {} : { title }),
        expiresInSeconds,
      },
      signal,
    ),
  );
  const { id, url, expiresAt } = made.request;
  printResult(terminal, json, { schema: "exhibit.request-created/1", ...made }, () => [url]);
  note(
    terminal,
    json,
    "",
    `Whoever has this address can hand files in${expiresAt === undefined ? "" : ` until ${toTheSecond(expiresAt)}`}, without an account. Nothing was sent to anyone.`,
    "What comes in is no exhibit before you upload it as one: exhibit upload.",
    `To close it: exhibit request close ${id}`,
  );
}
