import { checkAdministrator } from "../accounts/access.ts";
import { badRequest, type Answer } from "../http/answer.ts";
import type { Call } from "../http/call.ts";
import { sentDate } from "../items/dates.ts";
import type { World } from "../world.ts";
import { eventBody, type BoxEvent } from "./events.ts";

const usualLimit = 100;
const mostEvents = 500;
/** Positions begin here, so that nobody takes them for a count. */
const firstPosition = 1_600_000_000;
const dayMs = 86_400_000;

const historyDays: Readonly<Record<string, number>> = {
  all: 21,
  changes: 21,
  sync: 21,
  admin_logs: 365,
  admin_logs_streaming: 14,
};
/** What `changes` leaves out: things that leave the tree as it was. */
const noChange = new Set(["ITEM_DOWNLOAD", "ITEM_PREVIEW"]);

/** `GET /events`: a user's own, or those of the enterprise. */
export function events(world: World, call: Call): Answer {
  const stream = call.query.get("stream_type") ?? "all";
  const days = historyDays[stream];
  if (days === undefined) throw badRequest(`Invalid value '${stream}' for stream_type`);
  const enterprise = stream.startsWith("admin_logs");
  if (enterprise) checkAdministrator(world, call.access);
  const dated = ["created_after", "created_before"].some((name) => call.query.has(name));
  if (dated && stream !== "admin_logs") throw badRequest("Dates are for admin_logs only");
  const limit = Math.min(call.number("limit", usualLimit), mostEvents);
  const seen = visible(world, stream, days);
  const from = startIn(call, seen.length);
  const wanted = filter(world, call, enterprise, stream);
  const entries: BoxEvent[] = [];
  let at = from;
  for (; at < seen.length && entries.length < limit; at += 1) {
    const event = seen[at];
    if (event !== undefined && wanted(event)) entries.push(event);
  }
  const told =
    stream === "admin_logs_streaming" && world.settings.untidyStreaming
      ? untidy(entries, seen[from - 1])
      : entries;
  const next = firstPosition + at;
  const next_stream_position = world.settings.streamPositions === "string" ? String(next) : next;
  const bodies = told.map((event) => eventBody(event, enterprise ? "enterprise" : "user"));
  return { status: 200, json: { chunk_size: told.length, next_stream_position, entries: bodies } };
}

/** The log, as far as this stream knows of it. What is too old stays in its place, so that positions hold. */
function visible(world: World, stream: string, days: number): (BoxEvent | undefined)[] {
  const now = world.now().getTime();
  const delay = stream === "admin_logs" ? world.settings.adminLogsDelayMs : 0;
  const { all } = world.events;
  const late = all.findIndex(({ at }) => at.getTime() + delay > now);
  const known = late < 0 || delay === 0 ? all : all.slice(0, late);
  return known.map((event) => (event.at.getTime() < now - days * dayMs ? undefined : event));
}

function startIn(call: Call, end: number): number {
  const position = call.query.get("stream_position") ?? "0";
  if (position === "now") return end;
  if (position === "0") return 0;
  const at = Number(position) - firstPosition;
  if (!Number.isSafeInteger(at) || at < 0) throw badRequest("Invalid value for stream_position");
  return Math.min(at, end);
}

function filter(
  world: World,
  call: Call,
  enterprise: boolean,
  stream: string,
): (event: BoxEvent) => boolean {
  const { user } = call.access;
  if (!enterprise) {
    return (event) =>
      event.userType !== undefined &&
      (stream === "all" || !noChange.has(event.userType)) &&
      (event.by === user ||
        event.item?.owner === user ||
        (event.item !== undefined && world.isCollaborator(user, event.item)));
  }
  const types = call.query.get("event_type")?.split(",");
  const after = sentDate(call.query.get("created_after"), "created_after");
  const before = sentDate(call.query.get("created_before"), "created_before");
  return ({ type, at }) =>
    (types === undefined || types.includes(type)) &&
    (after === undefined || at >= after) &&
    (before === undefined || at <= before);
}

/** Out of order, and with one that was told before. */
function untidy(entries: readonly BoxEvent[], before: BoxEvent | undefined): BoxEvent[] {
  const told = [...entries].reverse();
  const again = before ?? entries[0];
  return again === undefined || entries.length === 0 ? told : [...told, again];
}
