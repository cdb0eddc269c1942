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
  "mail-sent": "link mailed",
  "mail-delayed": "mail delayed",
  "mail-refused": "mail refused",
  "code-asked": "code asked for",
  "code-sent": "code mailed",
  "code-delayed": "code's mail delayed",
  "code-refused": "code's mail refused",
  "share-renewed": "new link and code",
  "note-left": "note left",
  "share-created": "shared",
  "share-updated": "given another end",
  "share-revoked": "cut off",
  "share-abandoned": "given up while it was made",
  "share-cleared": "copies of the ended share deleted",
  "copy-made": "copy made",
  "copy-marked": "copy watermarked",
  "copy-unmarked": "watermark removed",
  "copy-downloaded": "copy downloaded",
  "copy-deleted": "copy deleted",
  "copy-changed": "copy changed",
  "link-made": "link made",
  "link-changed": "link changed",
  "link-removed": "link removed",
  "link-expired": "link expired",
  invited: "invited",
  "invitation-accepted": "invitation accepted",
  "invitation-changed": "invitation changed",
  "invitation-ended": "invitation ended",
  other: "something else",
};

const sources: Readonly<Record<NonNullable<ShareAccessEvent["source"]>, string>> = {
  own: "own log",
  admin_logs: "Box admin_logs",
  admin_logs_streaming: "Box admin_logs_streaming",
  user_events: "Box user events",
};

/** `exhibit share log SHARE`. */
export async function run(context: Context, typed: Typed): Promise<undefined> {
  const { terminal } = context;
  const json = wantsJson(typed);
  const id = String(typed.args[0]);
  const result = await withClient(context, typed, (client, settings) =>
    shareLog(client, { ...atStore(settings), share: id }, context.signal),
  );
  const { events, prefetches, notes } = result;
  const inBox = events.some(({ source }) => source !== undefined);
  printResult(terminal, json, { schema: "exhibit.share-log/1", ...result }, (theme) =>
    table(
      inBox
        ? ["WHEN", "WHAT", "EXHIBIT", "WHO", "FROM", "DETAIL", "TOLD BY"]
        : ["WHEN", "WHAT", "EXHIBIT", "FROM", "SESSION", "DETAIL", "BROWSER"],
      events.map((event) => {
        const { at, kind, reference = "-", address = "-", session = "-", detail = "-" } = event;
        const { who = "-", source, agent = "-" } = event;
        const start = [toTheSecond(at), words[kind], reference];
        return inBox
          ? [...start, who, address, detail, source === undefined ? "-" : sources[source]]
          : [...start, address, session, detail, agent];
      }),
      { heading: terminal.outputIsTerminal && events.length > 0, theme },
    ),
  );
  for (const one of notes) note(terminal, json, one);
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
