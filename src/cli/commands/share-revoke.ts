import { counted } from "../../evidence/quantities.ts";
import { revokeShare } from "../../app/share-revoke.ts";
import { atStore } from "../at-store.ts";
import type { Context } from "../context.ts";
import { wantsJson, withClient } from "../given.ts";
import type { Typed } from "../input.ts";
import { note, printResult } from "../ui/result.ts";
import { spin } from "../ui/spinner.ts";
import { themeFor } from "../ui/theme.ts";
import { visible } from "../ui/visible.ts";

/** `exhibit share revoke SHARE`. */
export async function run(context: Context, typed: Typed): Promise<undefined> {
  const { terminal, signal } = context;
  const json = wantsJson(typed);
  const id = String(typed.args[0]);
  const exhibit = typed.options["exhibit"] as string | undefined;
  const revocation = await withClient(context, typed, (client, settings) => {
    const request = {
      ...atStore(settings),
      share: id,
      ...(exhibit === undefined ? {} : { exhibit }),
    };
    return spin(terminal, json, "Cutting it off", () => revokeShare(client, request, signal));
  });
  const { share, already, sessionsCut, streamsCut, originalsTaken, notes = [] } = revocation;
  printResult(terminal, json, { schema: "exhibit.revocation/1", ...revocation }, () => [
    `${share.id}  ${exhibit === undefined ? "revoked" : "exhibit taken out"}`,
  ]);
  const theme = themeFor(terminal.color);
  const name = visible(share.recipient.name);
  const left = share.exhibits.filter(({ revokedAt }) => revokedAt === undefined).length;
  const rest =
    share.state === "revoked" || left === 0
      ? `${name} now sees only that the link is not valid.`
      : `${name} still sees the other ${left === 1 ? "exhibit" : `${left} exhibits`} of this share.`;
  note(
    terminal,
    json,
    already
      ? `${theme.good("✔")} It was cut off before; nothing changed.`
      : `${theme.good("✔")} ${cutWords(sessionsCut, streamsCut)}`,
    rest,
    share.access === "original"
      ? originals(originalsTaken)
      : "A document already opened in another tab stays visible there, and what the recipient keeps, such as a photograph of the screen, cannot be recalled; it carries the mark.",
    ...notes,
  );
}

function cutWords(sessions: number | undefined, streams: number | undefined): string {
  if (sessions === undefined || streams === undefined) {
    return "Cut off. What had been opened before, the store does not tell of itself; exhibit share log shows what is known.";
  }
  return `Cut off: ${count(sessions, "viewing session")} and ${count(streams, "stream")} stopped.`;
}

function count(number: number, what: string): string {
  return number === 0 ? `no ${what}s` : counted(number, what);
}

function originals(taken: number | undefined): string {
  if (taken === undefined) {
    return "Whether originals had been downloaded is not known; if they were, they cannot be recalled.";
  }
  if (taken === 0) return "No original had been downloaded.";
  return `${taken} ${taken === 1 ? "original had been downloaded; it" : "originals had been downloaded; they"} cannot be recalled.`;
}
