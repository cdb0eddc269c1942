import type { ServerDeps } from "../deps.ts";

const everyMs = 3_600_000;

/** Writes down when identities were here, each once an hour at most, so that requests need no write. */
export class LastSeen {
  readonly #deps: Pick<ServerDeps, "database" | "clock">;
  /** When each was written down last, in ms since 1970. */
  readonly #noted = new Map<string, number>();

  constructor(deps: Pick<ServerDeps, "database" | "clock">) {
    this.#deps = deps;
  }

  async note(id: string): Promise<void> {
    const now = this.#deps.clock.now();
    if (now.getTime() - (this.#noted.get(id) ?? -Infinity) < everyMs) return;
    this.#noted.set(id, now.getTime());
    const anHourAgo = new Date(now.getTime() - everyMs).toISOString();
    await this.#deps.database
      .updateTable("identities")
      .set({ last_seen_at: now.toISOString() })
      .where("id", "=", id)
      .where((is) => is.or([is("last_seen_at", "is", null), is("last_seen_at", "<", anHourAgo)]))
      .execute();
  }
}
