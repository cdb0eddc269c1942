import { logCuts } from "./revoke-share.ts";
import type { ShareDesk } from "./share-desk.ts";
import { endOf } from "./share-rows.ts";

/** How often open pages hear from us; the page's script takes three missed beats for a lost line. */
const beatMs = 1500;
const sweepMs = 60_000;

/**
 * Watches over what is open: gives the pages their beat, cuts what belongs to a share that has ended meanwhile (its
 * time was over, or another process revoked it), and clears away what ended shares leave behind. Both can be run by
 * hand; `stop` ends it.
 */
export interface ShareWatch {
  beat(): Promise<void>;
  sweep(): Promise<void>;
  stop(): void;
}

export function watchShares(desk: ShareDesk, onFailure: (error: unknown) => void): ShareWatch {
  const { database, clock } = desk.deps;

  async function cut(share: string): Promise<void> {
    const streams = desk.live.cut(share);
    await desk.renditions.forget(share);
    await logCuts(desk, share, streams);
  }

  async function beat(): Promise<void> {
    for (const id of desk.live.ids()) {
      const share = await database
        .selectFrom("shares")
        .select(["revoked_at", "expires_at"])
        .where("id", "=", id)
        .executeTakeFirst();
      if (share === undefined || endOf(share, clock.now()) !== undefined) await cut(id);
      else await beatPages(id);
    }
  }

  async function beatPages(share: string): Promise<void> {
    const now = clock.now().toISOString();
    for (const page of desk.live.pages(share)) {
      const session = await database
        .selectFrom("share_sessions")
        .select("ends_at")
        .where("id", "=", page.session)
        .executeTakeFirst();
      if (session !== undefined && session.ends_at > now) {
        page.beat();
        continue;
      }
      // None any more: the link was renewed.
      page.tell({ type: session === undefined ? "ended" : "session-over" });
      page.close();
    }
  }

  async function sweep(): Promise<void> {
    const now = clock.now().toISOString();
    const ended = await database
      .selectFrom("shares")
      .select("id")
      .where("cleared_at", "is", null)
      .where((or) => or.or([or("expires_at", "<=", now), or("revoked_at", "is not", null)]))
      .execute();
    for (const { id } of ended) {
      await cut(id);
      await database.updateTable("shares").set({ cleared_at: now }).where("id", "=", id).execute();
    }
  }

  const stops = [repeat(beat, beatMs, onFailure), repeat(sweep, sweepMs, onFailure)];
  return {
    beat,
    sweep,
    stop: () => {
      for (const stop of stops) stop();
    },
  };
}

/** Runs `job` again and again, never twice at a time; returns how to stop it. Does not keep the process alive. */
function repeat(
  job: () => Promise<void>,
  everyMs: number,
  onFailure: (error: unknown) => void,
): () => void {
  let running = false;
  const timer = setInterval(() => {
    if (running) return;
    running = true;
    job()
      .catch(onFailure)
      .finally(() => {
        running = false;
      });
  }, everyMs);
  timer.unref();
  return () => {
    clearInterval(timer);
  };
}
