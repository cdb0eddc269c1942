import type { ShareLog } from "../../../evidence/ports/sharing.ts";
import type { ShareAccessEvent } from "../../../evidence/share.ts";
import { Calls } from "../sharing/calls.ts";
import { endOf, revokedAt } from "../sharing/describe.ts";
import type { Desk } from "../sharing/desk.ts";
import { findLink } from "../sharing/link.ts";
import type { ShelvedShare } from "../sharing/shelf.ts";
import { readStream, type BoxEvent, type Heard } from "./streams.ts";
import { concernedBy, concerns, told, toldOfUs, wantedTypes, type Concerned } from "./told.ts";

/** A busy enterprise has many events, and Box does not let them be asked for by file. */
const mostPages = 400;
/** For a number beside a revocation nobody waits long. */
const mostPagesToCount = 20;
const dayMs = 86_400_000;
/** Whoever looks before is not of the share; clocks differ. */
const slackMs = 5 * 60_000;

/**
 * Everything that is known of a share: our own log, and Box's events about its copies, link and invitations, as far as this account may read
 * them; each once, oldest first, each with where it comes from.
 */
export async function shareLog(
  desk: Desk,
  shelved: ShelvedShare,
  signal: AbortSignal,
): Promise<ShareLog> {
  const { exhibits } = shelved.intent;
  const own = shelved.events.flatMap((event) => toldOfUs(event, exhibits) ?? []);
  const spoilt = shelved.spoilt.map(
    (name) => `${name} in the share's folder in Box is not what was written, and does not count.`,
  );
  if (shelved.document === undefined) {
    const notes = ["There is no record of its completion: there is nothing to ask Box about."];
    return { events: own, notes: [...spoilt, ...notes] };
  }
  const concerned = concernedBy(shelved.document);
  const { events, notes } = await heardOf(desk, shelved, concerned, signal);
  return {
    events: [...own, ...events].sort((a, b) => Date.parse(a.at) - Date.parse(b.at)),
    notes: [...spoilt, ...notes, ...(await countsOf(desk, shelved, signal))],
  };
}

/** How many of the originals the recipient is known to have downloaded. */
export async function originalsTaken(
  { files: { api }, clock }: Desk,
  shelved: ShelvedShare,
  signal: AbortSignal,
): Promise<number | undefined> {
  if (shelved.document === undefined) return undefined;
  const concerned = concernedBy(shelved.document);
  const wanted = (event: BoxEvent): boolean =>
    concerns(event, concerned) &&
    told(event, concerned, "admin_logs").kind === "original-downloaded";
  const read = { ...adminLogs(shelved, clock.now()), mostPages: mostPagesToCount };
  const heard = await readStream(api, read, wanted, signal);
  if (heard?.isWhole !== true) return undefined;
  // Beside the content lie our documents, which are no originals.
  const names = heard.events.flatMap(({ source }) => source?.item_name ?? []);
  return new Set(names.filter((name) => /-[0-9]{4,8}(?:\.|$)/.test(name))).size;
}

interface HeardOf {
  readonly events: readonly ShareAccessEvent[];
  readonly notes: readonly string[];
}

async function heardOf(
  { files: { api }, clock }: Desk,
  shelved: ShelvedShare,
  concerned: Concerned,
  signal: AbortSignal,
): Promise<HeardOf> {
  const now = clock.now();
  const wanted = (event: BoxEvent): boolean => concerns(event, concerned);
  const whole = { ...adminLogs(shelved, now), mostPages };
  const logs = await readStream(api, whole, wanted, signal);
  if (logs === undefined) return heardByUser(api, wanted, concerned, signal);
  const streaming = { stream: "admin_logs_streaming", types: wantedTypes, mostPages } as const;
  const late = await readStream(api, streaming, wanted, signal);
  const events = once([
    ...logs.events.map((event) => [event, "admin_logs"] as const),
    ...(late?.events ?? []).map((event) => [event, "admin_logs_streaming"] as const),
  ]);
  return {
    events: events.map(([event, source]) => told(event, concerned, source)),
    notes: [
      "Box tells of what happened late: admin_logs_streaming by minutes, admin_logs by hours. What happened just now may be missing.",
      ...(late === undefined
        ? [
            "This account may not read Box's admin_logs_streaming: what happened in the last hours may be missing.",
          ]
        : []),
      ...brokenOff("admin_logs", logs),
      ...brokenOff("admin_logs_streaming", late),
    ],
  };
}

/** What the account's own stream tells, where it may not read the enterprise's. */
async function heardByUser(
  api: Desk["files"]["api"],
  wanted: (event: BoxEvent) => boolean,
  concerned: Concerned,
  signal: AbortSignal,
): Promise<HeardOf> {
  const heard = await readStream(api, { stream: "all", mostPages }, wanted, signal);
  const events = once((heard?.events ?? []).map((event) => [event, "user_events"] as const));
  return {
    events: events.map(([event, source]) => told(event, concerned, source)),
    notes: [
      "This account may not read the enterprise's events in Box, so who opened the link is not known for certain. An administrator who may run reports, with an application that may manage enterprise properties, sees them with the same command.",
      heard === undefined
        ? "It may not read its own events either."
        : "What Box told this account itself goes back three weeks.",
      ...brokenOff("own events", heard),
    ],
  };
}

/** All that happened while a share stood, and a little longer. */
function adminLogs(
  shelved: ShelvedShare,
  now: Date,
): { stream: "admin_logs"; types: readonly string[]; after: string; before?: string } {
  const { createdAt } = shelved.intent;
  const after = new Date(Date.parse(createdAt) - slackMs).toISOString();
  const end = Date.parse(revokedAt(shelved) ?? endOf(shelved)) + 2 * dayMs;
  const range = { stream: "admin_logs", types: wantedTypes, after } as const;
  return end > now.getTime() ? range : { ...range, before: new Date(end).toISOString() };
}

/** Each event once, as the first source tells it. */
function once<Source>(
  heard: readonly (readonly [BoxEvent, Source])[],
): (readonly [BoxEvent, Source])[] {
  const byId = new Map<string, readonly [BoxEvent, Source]>();
  for (const one of heard) if (!byId.has(one[0].event_id)) byId.set(one[0].event_id, one);
  return [...byId.values()];
}

function brokenOff(stream: string, heard: Heard | undefined): string[] {
  if (heard?.isWhole !== false) return [];
  return [
    `Box has so many events that its ${stream} were read only in part. Box's reports have the rest.`,
  ];
}

/** Box's own counters, which every officer may read. */
async function countsOf(
  { files }: Desk,
  { document }: ShelvedShare,
  signal: AbortSignal,
): Promise<string[]> {
  if (document?.link === undefined) return [];
  const found = await findLink(new Calls(files.api), document.link.on, signal);
  if (found?.link === undefined) return [];
  const { preview_count, download_count } = found.link;
  return [
    `Box's own counters of the link: ${preview_count ?? "unknown"} previews, ${download_count ?? "unknown"} downloads.`,
  ];
}
