import type { Kysely } from "kysely";
import type { PartMemory } from "../../evidence/ports/part-memory.ts";
import type { Tables } from "../database/tables.ts";

/** Remembers parts in the server's database. */
export function partMemory(database: Kysely<Tables>): PartMemory {
  return {
    async recall(upload) {
      const rows = await database
        .selectFrom("content_parts")
        .selectAll()
        .where("content_id", "=", upload)
        .execute();
      return rows.map(({ number, etag, size_bytes, sha256 }) => ({
        number,
        etag: etag === "" ? undefined : etag,
        sizeBytes: size_bytes,
        sha256,
      }));
    },
    async keep(upload, { number, etag, sizeBytes, sha256 }) {
      await database
        .replaceInto("content_parts")
        .values({ content_id: upload, number, etag: etag ?? "", size_bytes: sizeBytes, sha256 })
        .execute();
    },
    async forget(upload, number) {
      await database
        .deleteFrom("content_parts")
        .where("content_id", "=", upload)
        .$if(number !== undefined, (query) => query.where("number", "=", number ?? 0))
        .execute();
    },
  };
}
