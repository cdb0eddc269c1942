import { releaseUnused } from "../content/reservation.ts";
import { serverActor } from "../custody/custody.ts";
import type { ServerDeps } from "../deps.ts";
import { keepDoing } from "../in-background.ts";
import { abortUpload } from "./abort-upload.ts";

type ExpireDeps = Pick<ServerDeps, "database" | "content" | "clock" | "settings">;

/**
 * Aborts the uploads that nothing was heard of for too long, forgets finished ones that are as old, frees what the
 * content store holds of uploads that the database does not know, and gives back what was reserved as long ago and is
 * not used.
 */
export async function expireUploads(deps: ExpireDeps, signal: AbortSignal): Promise<void> {
  const { database, clock } = deps;
  const now = clock.now().toISOString();
  const expired = await database
    .selectFrom("uploads")
    .selectAll()
    .where("expires_at", "<=", now)
    .where("state", "=", "receiving")
    .execute();
  for (const row of expired) {
    signal.throwIfAborted();
    await abortUpload(deps, row, serverActor, signal);
  }
  await database
    .deleteFrom("uploads")
    .where("expires_at", "<=", now)
    .where("state", "=", "done")
    .execute();
  await dropUnknown(deps, signal);
  await releaseOldReservations(deps);
}

async function releaseOldReservations(deps: ExpireDeps): Promise<void> {
  const open = await deps.database
    .selectFrom("exhibits")
    .select("id")
    .where("state", "=", "open")
    .where("reserved_at", "<=", longAgo(deps))
    .where("total_bytes", ">", 0)
    .execute();
  for (const { id } of open) {
    await deps.database.transaction().execute((trx) => releaseUnused(trx, id));
  }
}

function longAgo({ clock, settings }: ExpireDeps): string {
  return new Date(clock.now().getTime() - settings.expireUploadsMs).toISOString();
}

/** Left by a crash between the content store's `begin` and ours. */
async function dropUnknown(deps: ExpireDeps, signal: AbortSignal): Promise<void> {
  const { database, content } = deps;
  const before = longAgo(deps);
  for (const upload of await content.uploads(signal)) {
    if (upload.startedAt > before) continue;
    const known = await database
      .selectFrom("uploads")
      .select("id")
      .where("content_id", "=", upload.id)
      .executeTakeFirst();
    if (known === undefined) await content.abort(upload, signal);
  }
}

const everyMs = 10 * 60 * 1000;

/** Expires uploads now and then, in the background. Returns what stops it and waits for its end. */
export function keepExpiring(
  deps: ExpireDeps,
  onFailure: (code: string) => void,
): () => Promise<void> {
  return keepDoing((signal) => expireUploads(deps, signal), everyMs, onFailure);
}
