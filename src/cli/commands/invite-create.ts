import { z } from "zod";
import { createInvitation } from "../../app/invite-create.ts";
import { roleSchema } from "../../evidence/identity.ts";
import { parseDuration, parseSize } from "../../evidence/quantities.ts";
import { atStore } from "../at-store.ts";
import type { Context } from "../context.ts";
import { wantsJson, withClient } from "../given.ts";
import { parseOptions, type Typed } from "../input.ts";
import { note, printResult, toTheSecond } from "../ui/result.ts";
import { visible } from "../ui/visible.ts";

const optionsSchema = z.object({
  role: roleSchema,
  org: z.string().trim().min(1, "must not be empty"),
  expires: z.string(),
  quota: z.string().optional(),
});

/** `exhibit invite create`. */
export async function run(context: Context, typed: Typed): Promise<undefined> {
  const { terminal, signal } = context;
  const json = wantsJson(typed);
  const { role, org, expires, quota } = parseOptions(optionsSchema, typed);
  const wanted = {
    role,
    organisation: org,
    expiresInSeconds: parseDuration(expires, "--expires"),
    ...(quota === undefined ? {} : { quotaBytes: parseSize(quota, "--quota") }),
  };
  const { invitation, code } = await withClient(context, typed, (client, settings) =>
    createInvitation(client, { ...atStore(settings), ...wanted }, signal),
  );
  const document = { schema: "exhibit.invitation/1", invitation, code };
  printResult(terminal, json, document, () => [code]);
  note(
    terminal,
    json,
    "",
    `Invitation ${invitation.id}: ${invitation.role} of ${visible(invitation.organisation)}, to be used once, until ${toTheSecond(invitation.expiresAt)}.`,
    "Pass the code on by a safe way: whoever has it can enrol in that name. It is shown only this once.",
    `To take it back: exhibit invite revoke ${invitation.id}`,
  );
}
