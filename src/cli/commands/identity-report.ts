import { z } from "zod";
import { reportIdentities } from "../../app/identity-report.ts";
import { formatSize, parseDuration } from "../../evidence/quantities.ts";
import { atStore } from "../at-store.ts";
import type { Context } from "../context.ts";
import { wantsJson, withClient } from "../given.ts";
import { parseOptions, type Typed } from "../input.ts";
import { note, printResult, table, toTheSecond } from "../ui/result.ts";

const optionsSchema = z.object({ dormant: z.string() });

/** `exhibit identity report`. */
export async function run(context: Context, typed: Typed): Promise<undefined> {
  const { terminal, signal } = context;
  const json = wantsJson(typed);
  const dormantAfterSeconds = parseDuration(
    parseOptions(optionsSchema, typed).dormant,
    "--dormant",
  );
  const { identities } = await withClient(context, typed, (client, settings) =>
    reportIdentities(client, { ...atStore(settings), dormantAfterSeconds }, signal),
  );
  const document = { schema: "exhibit.identity-report/1", identities };
  printResult(terminal, json, document, (theme) =>
    table(
      [
        ...["IDENTITY", "STATE", "ROLE", "ENROLLED BY", "LAST SEEN", "SENT", "MACHINES"],
        ...["OPEN SHARES", "ORGANISATION", "AT THE PROVIDER"],
      ],
      identities.map((identity) => [
        identity.id,
        stateOf(identity),
        identity.role,
        identity.enrolledBy,
        identity.lastSeenAt === undefined ? "never" : toTheSecond(identity.lastSeenAt),
        formatSize(identity.usedBytes),
        String(identity.machines),
        String(identity.openShares),
        identity.organisation,
        identity.providerSubject ?? "",
      ]),
      { heading: terminal.outputIsTerminal, theme },
    ),
  );
  const orphaned = identities.filter(
    (identity) => stateOf(identity) !== "active" && identity.openShares > 0,
  );
  for (const { id, openShares } of orphaned) {
    note(
      terminal,
      json,
      `${id} is gone or dormant and has ${openShares} open ${openShares === 1 ? "share" : "shares"}: exhibit share list --of ${id}; exhibit share reassign SHARE --to IDENTITY.`,
    );
  }
}

function stateOf(identity: {
  readonly revokedAt?: string | undefined;
  readonly dormantSince?: string;
}): string {
  if (identity.revokedAt !== undefined) return "revoked";
  return identity.dormantSince === undefined ? "active" : "dormant";
}
