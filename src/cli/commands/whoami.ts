import { whoami } from "../../app/whoami.ts";
import { formatSize } from "../../evidence/quantities.ts";
import type { Account } from "../../evidence/ports/sign-in.ts";
import { atStore } from "../at-store.ts";
import type { Context } from "../context.ts";
import { wantsJson, withClient } from "../given.ts";
import type { Typed } from "../input.ts";
import { facts, printResult } from "../ui/result.ts";

/** `exhibit whoami`. */
export async function run(context: Context, typed: Typed): Promise<undefined> {
  const document = await withClient(context, typed, async (client, settings) => ({
    schema: "exhibit.whoami/1",
    ...(await whoami(client, atStore(settings), context.signal)),
    secretsPlace: client.secretsPlace,
  }));
  const { identity, clockOffsetMs } = document;
  printResult(context.terminal, wantsJson(typed), document, (theme) =>
    facts(
      [
        ["Store", `${document.store}, ${document.url}`],
        ["Account", inWords(document.account)],
        ["Acts as", inWords(document.actsAs)],
        ["Role", identity?.role],
        ["Organisation", identity?.organisation],
        ["Signed in by", document.signedInBy?.issuer],
        ["Until", document.signedInBy?.until && `${document.signedInBy.until}, then renewed`],
        ["Identity", identity?.id],
        ["Enrolled", identity?.enrolledAt],
        [
          "Quota",
          identity?.quotaBytes === undefined
            ? undefined
            : `${formatSize(identity.usedBytes)} of ${formatSize(identity.quotaBytes)} used`,
        ],
        ["Key", document.keyThumbprint],
        ["Kept in", document.secretsPlace],
        [
          "Clock",
          clockOffsetMs === undefined
            ? undefined
            : `${Math.abs(clockOffsetMs / 1000).toFixed(1)} s ${clockOffsetMs < 0 ? "behind" : "ahead of"} the server's`,
        ],
      ],
      theme,
    ),
  );
}

function inWords(account: Account | undefined): string | undefined {
  return account === undefined ? undefined : `${account.login} (${account.id})`;
}
