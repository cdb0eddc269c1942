import { statfs } from "node:fs/promises";
import { sql } from "kysely";
import { Gauge, type Registry } from "prom-client";
import type { ServerDeps } from "../deps.ts";

type StateDeps = Pick<ServerDeps, "database" | "clock" | "settings">;

/** What stands in the database and on the disk, looked up whenever somebody asks. */
export function addStateMetrics(
  registry: Registry,
  { database, clock, settings }: StateDeps,
): void {
  const gauge = (name: string, help: string, value: () => Promise<number>): void => {
    new Gauge({
      name,
      help,
      registers: [registry],
      async collect() {
        this.set(await value());
      },
    });
  };
  const now = (): string => clock.now().toISOString();

  gauge(
    "exhibit_uploads_unfinished",
    "Uploads that have begun, and of which not everything has arrived.",
    async () => {
      const query = database.selectFrom("uploads").where("state", "=", "receiving");
      const { count } = await query
        .select((is) => is.fn.countAll<number>().as("count"))
        .executeTakeFirstOrThrow();
      return count;
    },
  );
  gauge(
    "exhibit_proving_jobs",
    "Uploads that have arrived and whose whole digest is being proved.",
    async () => {
      const query = database.selectFrom("uploads").where("state", "=", "proving");
      const { count } = await query
        .select((is) => is.fn.countAll<number>().as("count"))
        .executeTakeFirstOrThrow();
      return count;
    },
  );
  gauge("exhibit_shares_open", "Shares that can be opened now.", async () => {
    const { count } = await database
      .selectFrom("shares")
      .select((is) => is.fn.countAll<number>().as("count"))
      .where("revoked_at", "is", null)
      .where("expires_at", ">", now())
      .executeTakeFirstOrThrow();
    return count;
  });
  gauge(
    "exhibit_viewing_sessions",
    "Viewing sessions of share links that have not ended.",
    async () => {
      const { count } = await database
        .selectFrom("share_sessions")
        .innerJoin("shares", "shares.id", "share_id")
        .select((is) => is.fn.countAll<number>().as("count"))
        .where("revoked_at", "is", null)
        .where("ends_at", ">", now())
        .executeTakeFirstOrThrow();
      return count;
    },
  );
  gauge(
    "exhibit_smokes_left",
    "Round trips of exhibit smoke that are not erased: more than a few mean that something dies on the way.",
    async () => {
      const { count } = await database
        .selectFrom("smokes")
        .select((is) => is.fn.countAll<number>().as("count"))
        .where("erased_at", "is", null)
        .executeTakeFirstOrThrow();
      return count;
    },
  );
  gauge("exhibit_database_bytes", "Size of the server's database.", async () => {
    const { rows } = await sql<{
      bytes: number;
    }>`select page_count * page_size as bytes from pragma_page_count, pragma_page_size`.execute(
      database,
    );
    return rows[0]?.bytes ?? 0;
  });
  gauge(
    "exhibit_disk_free_bytes",
    "Free space on the disk of the data folder; of a bucket, the store itself must be asked.",
    async () => {
      const { bavail, bsize } = await statfs(settings.scratch);
      return bavail * bsize;
    },
  );
}
