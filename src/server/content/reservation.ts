import type { Kysely } from "kysely";
import { smokeCase } from "../../evidence/case.ts";
import { ExhibitError } from "../../evidence/errors.ts";
import { mostSmokeBytes } from "../../evidence/smoke.ts";
import { chargeQuota, refundQuota } from "../accounts/quota.ts";
import type { ExhibitRow } from "../database/exhibit-tables.ts";
import type { Tables } from "../database/tables.ts";

/** As many files as a record can hold. */
const mostFiles = 10_000;

/**
 * Makes room in an open exhibit's reservation for one more file: what all its files, stored or on their way, need beyond what
 * was reserved is charged to the submitter's quota.
 *
 * @returns the bytes that were charged
 * @throws ExhibitError `policy.quota`, `policy.too-large`, `conflict.sealed`
 */
export async function reserveFor(
  trx: Kysely<Tables>,
  exhibitId: string,
  key: string,
  sizeBytes: number,
): Promise<number> {
  const exhibit = await exhibitRow(trx, exhibitId);
  if (exhibit.state !== "open") throw sealed();
  const others = await heldBy(trx, exhibitId, key);
  if (others.files >= mostFiles) {
    throw new ExhibitError("policy.too-large", `An exhibit has ${mostFiles} files at most.`, {
      hint: "Send the rest as another exhibit.",
    });
  }
  if (exhibit.case_ref === smokeCase && others.bytes + sizeBytes > mostSmokeBytes) {
    throw new ExhibitError("policy.too-large", "Synthetic material is small.", {
      facts: { mostBytes: mostSmokeBytes },
    });
  }
  const missingBytes = others.bytes + sizeBytes - exhibit.total_bytes;
  if (missingBytes <= 0) return 0;
  await chargeQuota(trx, exhibit.submitter, missingBytes);
  await resize(trx, exhibitId, exhibit.total_bytes + missingBytes);
  return missingBytes;
}

/** Gives back what {@link reserveFor} charged for a file that did not come, as far as other files do not need it now. */
export async function unreserve(
  trx: Kysely<Tables>,
  exhibitId: string,
  chargedBytes: number,
): Promise<void> {
  const exhibit = await exhibitRow(trx, exhibitId);
  if (exhibit.state !== "open") return;
  const { bytes } = await heldBy(trx, exhibitId);
  await shrink(trx, exhibit, Math.max(bytes, exhibit.total_bytes - chargedBytes));
}

/**
 * Gives back what an open exhibit was reserved beyond what it holds, when nothing of it is on its way: sending it again
 * reserves it again.
 */
export async function releaseUnused(trx: Kysely<Tables>, exhibitId: string): Promise<void> {
  const exhibit = await exhibitRow(trx, exhibitId);
  if (exhibit.state !== "open") return;
  const uploading = await trx
    .selectFrom("uploads")
    .select("id")
    .where("exhibit_id", "=", exhibitId)
    .where("state", "!=", "done")
    .executeTakeFirst();
  if (uploading !== undefined) return;
  const { bytes } = await heldBy(trx, exhibitId);
  await shrink(trx, exhibit, bytes);
}

export function sealed(): ExhibitError {
  return new ExhibitError("conflict.sealed", "This exhibit is sealed: it takes no more content.", {
    hint: "Upload what is missing as a new exhibit.",
  });
}

/**
 * Refuses a second size of a key that is on its way: they would count as one file while both lie on the disk.
 *
 * @throws ExhibitError `conflict.unfinished`
 */
export async function assertOneSize(
  trx: Kysely<Tables>,
  exhibitId: string,
  key: string,
  sizeBytes: number,
): Promise<void> {
  const other = await trx
    .selectFrom("uploads")
    .select("size_bytes")
    .where("exhibit_id", "=", exhibitId)
    .where("key", "=", key)
    .where("state", "!=", "done")
    .where("size_bytes", "!=", sizeBytes)
    .executeTakeFirst();
  if (other === undefined) return;
  throw new ExhibitError(
    "conflict.unfinished",
    `An upload of ${key} with another size is unfinished: ${other.size_bytes} bytes.`,
    {
      hint: "If the source has changed since, abort that upload, then run the same command again.",
      facts: { sizeBytes, unfinishedBytes: other.size_bytes },
    },
  );
}

/** What the exhibit's files take, stored or on their way, the one under the key `except` not counted. */
async function heldBy(
  trx: Kysely<Tables>,
  exhibitId: string,
  except = "",
): Promise<{ files: number; bytes: number }> {
  const stored = await trx
    .selectFrom("stored_files")
    .select((is) => [
      is.fn.countAll<number>().as("files"),
      is.fn.coalesce(is.fn.sum<number>("size_bytes"), is.lit(0)).as("bytes"),
    ])
    .where("exhibit_id", "=", exhibitId)
    .where("key", "!=", except)
    .executeTakeFirstOrThrow();
  const coming = await trx
    .selectFrom("uploads")
    .select((is) => [
      is.fn.countAll<number>().as("files"),
      is.fn.coalesce(is.fn.sum<number>("size_bytes"), is.lit(0)).as("bytes"),
    ])
    .where("exhibit_id", "=", exhibitId)
    .where("key", "!=", except)
    .where("state", "!=", "done")
    .executeTakeFirstOrThrow();
  return { files: stored.files + coming.files, bytes: stored.bytes + coming.bytes };
}

async function exhibitRow(trx: Kysely<Tables>, id: string): Promise<ExhibitRow> {
  return trx.selectFrom("exhibits").selectAll().where("id", "=", id).executeTakeFirstOrThrow();
}

async function shrink(trx: Kysely<Tables>, exhibit: ExhibitRow, toBytes: number): Promise<void> {
  const spareBytes = exhibit.total_bytes - toBytes;
  if (spareBytes <= 0) return;
  await refundQuota(trx, exhibit.submitter, spareBytes);
  await resize(trx, exhibit.id, toBytes);
}

async function resize(trx: Kysely<Tables>, id: string, totalBytes: number): Promise<void> {
  await trx.updateTable("exhibits").set({ total_bytes: totalBytes }).where("id", "=", id).execute();
}
