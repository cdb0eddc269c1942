import { shareLog } from "../../app/share-log.ts";
import type { ShareAccessEvent } from "../../evidence/share.ts";
import { atStore } from "../at-store.ts";
import type { Context } from "../context.ts";
import { wantsJson, withClient } from "../given.ts";
import type { Typed } from "../input.ts";
import { note, printResult, table, toTheSecond } from "../ui/result.ts";

const words: Readonly<Record<ShareAccessEvent["kind"], string>> = {
  prefetch: "fetched by a machine",
  page: "page opened",
  "code-wrong": "wrong code",
  "code-limited": "too many wrong codes",
  "session-started": "code accepted",
  "exhibit-viewed": "viewed",
  segment: "video played",
  "file-viewed": "file viewed",
  "original-downloaded": "original downloaded",
  "refused-expired": "refused: expired",
  "refused-revoked": "refused: revoked",
  "stream-cut": "cut while viewing",
};

/** `exhibit share log SHARE`. */
export async function run(context: Context, typed: Typed): Promise<undefined> {
  const { terminal } = context;
  const json = wantsJson(typed);
  const id = String(typed.args[0]);
  const result = await withClient(context, typed, (client, settings) =>
    shareLog(client, { ...atStore(settings), share: id }, context.signal),
  );
  const { events, prefetches } = result;
  printResult(terminal, json, { schema: "exhibit.share-log/1", ...result }, (theme) =>
    table(
      ["WHEN", "WHAT", "EXHIBIT", "FROM", "SESSION", "DETAIL", "BROWSER"],
      events.map((event) => [
        toTheSecond(event.at),
        words[event.kind],
        event.reference ?? "-",
        event.address,
        event.session ?? "-",
        event.detail ?? "-",
        event.agent,
      ]),
      { heading: terminal.outputIsTerminal && events.length > 0, theme },
    ),
  );
  if (events.length === 0) note(terminal, json, "Nobody has opened it.");
  if (prefetches.length > 0) {
    const [first] = prefetches;
    note(
      terminal,
      json,
      `Apart from these, machines fetched the page ${prefetches.length} times without a code, first ${first?.at ?? ""}: mail scanners, most likely.`,
    );
  }
}
