import { z } from "zod";
import { ExhibitError, familyOf } from "../../../evidence/errors.ts";
import type { BoxApi } from "../api.ts";

export type Stream = "admin_logs" | "admin_logs_streaming" | "all";

const eventSchema = z.object({
  event_id: z.string(),
  event_type: z.string(),
  created_at: z.string(),
  created_by: z.object({ id: z.string(), login: z.string().nullish() }).nullish(),
  ip_address: z.string().nullish(),
  source: z
    .object({
      // The enterprise's streams call them so, a user's own stream has the item itself.
      item_id: z.string().optional(),
      item_name: z.string().optional(),
      id: z.string().optional(),
      name: z.string().optional(),
      parent: z.object({ id: z.string() }).nullish(),
    })
    .nullish()
    .catch(undefined),
});
export type BoxEvent = z.infer<typeof eventSchema>;

const pageSchema = z.object({
  entries: z.array(eventSchema),
  /** Text or a number, as Box likes. */
  next_stream_position: z.union([z.string(), z.number()]).nullish(),
});

/** Box gives no more at once. */
const pageLength = 500;

export interface StreamRead {
  readonly stream: Stream;
  /** Only these types; of the enterprise's streams only. */
  readonly types?: readonly string[];
  /** Only of `admin_logs`. */
  readonly after?: string;
  readonly before?: string;
  /** After so many pages it is broken off. */
  readonly mostPages: number;
}

export interface Heard {
  readonly events: readonly BoxEvent[];
  /** False when there was more than was read. */
  readonly isWhole: boolean;
}

/** The events of a stream that `wanted` fits, as Box tells them: in any order, some of them twice. Undefined where this account may not read it. */
export async function readStream(
  api: BoxApi,
  { stream, types, after, before, mostPages }: StreamRead,
  wanted: (event: BoxEvent) => boolean,
  signal: AbortSignal,
): Promise<Heard | undefined> {
  const events: BoxEvent[] = [];
  let position = "0";
  for (let pages = 0; pages < mostPages; pages += 1) {
    const query = {
      stream_type: stream,
      stream_position: position,
      limit: pageLength,
      ...(types === undefined ? {} : { event_type: types.join(",") }),
      ...(after === undefined ? {} : { created_after: after }),
      ...(before === undefined ? {} : { created_before: before }),
    };
    const page = await api
      .get(pageSchema, { method: "GET", to: "/2.0/events", query }, signal)
      .catch((error: unknown) => {
        if (error instanceof ExhibitError && isForbidden(error)) return undefined;
        throw error;
      });
    if (page === undefined) return undefined;
    events.push(...page.entries.filter(wanted));
    const next = String(page.next_stream_position ?? "");
    if (page.entries.length === 0 || next === "" || next === position) {
      return { events, isWhole: true };
    }
    position = next;
  }
  return { events, isWhole: false };
}

function isForbidden(error: ExhibitError): boolean {
  return familyOf(error.code) === "policy" || error.code === "not-found.content";
}
