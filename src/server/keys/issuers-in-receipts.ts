import type { Kysely } from "kysely";
import { receiptSchema, receiptType } from "../../evidence/receipt.ts";
import {
  openSealed,
  sealedSchema,
  unverifiedPayload,
  type PublicJwk,
} from "../../evidence/seal.ts";
import type { Tables } from "../database/tables.ts";

const pageRows = 500;

/** The keys that have signed the receipts of a server's own database, each receipt checked against the key that it names. */
export async function issuersInReceipts(database: Kysely<Tables>): Promise<readonly PublicJwk[]> {
  const keys = new Map<string, PublicJwk>();
  let after = "";
  for (;;) {
    const rows = await database
      .selectFrom("exhibits")
      .select(["id", "receipt"])
      .where("id", ">", after)
      .where("receipt", "is not", null)
      .orderBy("id")
      .limit(pageRows)
      .execute();
    for (const { receipt } of rows) {
      const sealed = sealedSchema.parse(JSON.parse(receipt ?? ""));
      const { key } = receiptSchema.parse(unverifiedPayload(sealed)).issuer;
      if (keys.has(key.x)) continue;
      await openSealed(sealed, receiptType, key);
      keys.set(key.x, key);
    }
    after = rows.at(-1)?.id ?? "";
    if (rows.length < pageRows) return [...keys.values()];
  }
}
