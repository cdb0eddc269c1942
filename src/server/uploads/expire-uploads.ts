import { ExhibitError } from "../../evidence/errors.ts";
import { serverActor } from "../custody/custody.ts";
import type { ServerDeps } from "../deps.ts";
import { abortUpload } from "./abort-upload.ts";

type ExpireDeps = Pick<ServerDeps, "database" | "content" | "clock" | "settings">;

/**
 * Aborts the uploads that nothing was heard of for too long, forgets finished ones that are as old, and frees what the
 * content store holds of uploads that the database does not know.
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
}

/** Left by a crash between the content store's `begin` and ours. */
async function dropUnknown(deps: ExpireDeps, signal: AbortSignal): Promise<void> {
  const { database, content, clock, settings } = deps;
  const before = new Date(clock.now().getTime() - settings.expireUploadsMs).toISOString();
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
  const stop = new AbortController();
  let running = Promise.resolve();
  const run = (): void => {
    running = running
      .then(() => expireUploads(deps, stop.signal))
      .catch((error: unknown) => {
        if (stop.signal.aborted) return;
        onFailure(error instanceof ExhibitError ? error.code : "unforeseen");
      });
  };
  run();
  const timer = setInterval(run, everyMs);
  return async () => {
    clearInterval(timer);
    stop.abort();
    await running;
  };
}
