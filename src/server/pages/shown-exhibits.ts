import type { Kysely } from "kysely";
import type { Tables } from "../database/tables.ts";
import type { ShownAs } from "../shares/file-kinds.ts";
import { readSealed, type SharedExhibit } from "../shares/shared-exhibits.ts";
import type { Master } from "../watermark/renditions.ts";

/** An exhibit as the recipient's page shows it. */
export interface ShownExhibit extends SharedExhibit {
  /** How each file of the record can be shown, in its order. */
  readonly kinds: readonly ShownAs[];
}

/** One file of it. */
export interface ShownFile {
  readonly exhibit: string;
  /** From 1. */
  readonly ordinal: number;
  readonly reference: string;
  readonly kind: ShownAs;
  readonly master: Master;
  readonly sha256: string;
  /** Its original relative path. For `original` shares only: recorders put callers' numbers into names. */
  readonly path: string;
}

/** A share's exhibits that were not cut out of it, in its order. */
export async function shownExhibits(
  database: Kysely<Tables>,
  share: string,
): Promise<ShownExhibit[]> {
  const rows = await database
    .selectFrom("share_exhibits")
    .select(["exhibit_id", "kinds"])
    .where("share_id", "=", share)
    .where("revoked_at", "is", null)
    .orderBy("position")
    .execute();
  const shown: ShownExhibit[] = [];
  for (const { exhibit_id, kinds } of rows) {
    const exhibit = await readSealed(database, exhibit_id);
    shown.push({ ...exhibit, kinds: kinds.split(",") as ShownAs[] });
  }
  return shown;
}

/** One file of one of them, or undefined when the share does not hold it, or no longer. */
export async function shownFile(
  database: Kysely<Tables>,
  share: string,
  exhibit: string,
  ordinal: number,
): Promise<ShownFile | undefined> {
  const row = await database
    .selectFrom("share_exhibits")
    .select("kinds")
    .where("share_id", "=", share)
    .where("exhibit_id", "=", exhibit)
    .where("revoked_at", "is", null)
    .executeTakeFirst();
  if (row === undefined) return undefined;
  const { record, reference } = await readSealed(database, exhibit);
  const file = record.files[ordinal - 1];
  if (file === undefined) return undefined;
  const { key, mediaType, sizeBytes, digest, path } = file;
  return {
    exhibit,
    ordinal,
    reference,
    kind: row.kinds.split(",")[ordinal - 1] as ShownAs,
    master: { key, mediaType, sizeBytes },
    sha256: digest.sha256,
    path,
  };
}
