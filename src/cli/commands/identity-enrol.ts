import { z } from "zod";
import { enrolIdentity } from "../../app/identity-enrol.ts";
import { roleSchema } from "../../evidence/identity.ts";
import { parseSize } from "../../evidence/quantities.ts";
import { atStore } from "../at-store.ts";
import type { Context } from "../context.ts";
import { wantsJson, withClient } from "../given.ts";
import { parseOptions, readGiven, type Typed } from "../input.ts";
import { note, printResult } from "../ui/result.ts";
import { visible } from "../ui/visible.ts";

const optionsSchema = z.object({
  role: roleSchema,
  org: z.string().trim().min(1, "must not be empty"),
  quota: z.string().optional(),
});

/** `exhibit identity enrol FILE.pub`. */
export async function run(context: Context, typed: Typed): Promise<undefined> {
  const { terminal, signal } = context;
  const json = wantsJson(typed);
  const { role, org, quota } = parseOptions(optionsSchema, typed);
  const wanted = {
    publicKey: await readGiven(String(typed.args[0]), terminal),
    role,
    organisation: org,
    ...(quota === undefined ? {} : { quotaBytes: parseSize(quota, "--quota") }),
  };
  const { identity, url, serverKey } = await withClient(
    context,
    typed,
    async (client, settings) => {
      const enrolled = await enrolIdentity(client, { ...atStore(settings), ...wanted }, signal);
      const place = await client.locate(settings.store);
      const pin = await client.enrolment.serverKey(place.url);
      return { identity: enrolled, url: place.url, serverKey: pin };
    },
  );
  const document = { schema: "exhibit.identity/1", identity, url, serverKey };
  printResult(terminal, json, document, () => [identity.id]);
  note(
    terminal,
    json,
    `Enrolled as ${identity.role} of ${visible(identity.organisation)}. On the machine that has the key:`,
    "",
    `  exhibit login ${url} --key-file FILE --server-key=${serverKey ?? "THUMBPRINT"}`,
    "",
    `To shut it out: exhibit identity revoke ${identity.id}`,
  );
}
