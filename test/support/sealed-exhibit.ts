import { contentKey } from "../../src/evidence/key.ts";
import { sha256Of } from "../../src/evidence/digest.ts";
import { recordType, type ExhibitRecord } from "../../src/evidence/record.ts";
import { receiptType, type Receipt } from "../../src/evidence/receipt.ts";
import { seal } from "../../src/evidence/seal.ts";
import { randomId } from "../../src/evidence/random-id.ts";
import { appendCustody } from "../../src/server/custody/custody.ts";
import { soon, type Person, type TestServer } from "./server.ts";

/** A file to be put into an exhibit. */
export interface Material {
  /** Its original relative path. */
  readonly path: string;
  readonly mediaType: string;
  readonly bytes: Uint8Array;
}

let serial = 0;

/**
 * Puts a sealed exhibit straight into a test server's content store and database: its bytes, record and receipt as an
 * upload would leave them, but only the last line of its custody and no rows of stored files. For tests of shares, which
 * read nothing else.
 */
export async function sealedExhibit(
  server: TestServer,
  submitter: Person,
  files: readonly Material[],
  extra: Partial<ExhibitRecord> = {},
): Promise<{ id: string; case: string; reference: string; files: ExhibitRecord["files"] }> {
  const { content, database, clock, key } = server.deps;
  serial += 1;
  const caseRef = "01AB1234526";
  const reference = `TST/${serial}`;
  const id = randomId("x");
  const now = clock.now().toISOString();
  const entries: ExhibitRecord["files"] = [];
  for (const [index, file] of files.entries()) {
    const fileKey = contentKey(caseRef, reference, index + 1, file.path);
    const sha256 = sha256Of(file.bytes);
    await content.put(fileKey, file.bytes, sha256, soon());
    entries.push({
      path: file.path,
      key: fileKey,
      sizeBytes: file.bytes.length,
      modifiedAt: now,
      digest: { sha256 },
      mediaType: file.mediaType,
    });
  }
  const { publicJwk, thumbprint } = submitter.session.signer;
  const record: ExhibitRecord = {
    schema: recordType,
    id,
    case: caseRef,
    reference,
    sourceId: `test ${serial}`,
    collectedAt: now,
    files: entries,
    uploader: { key: publicJwk, thumbprint },
    tool: { name: "exhibit-transfer", version: "0.0.0-test" },
    ...extra,
  };
  const sealedRecord = JSON.stringify(await seal(record, recordType, submitter.session.signer));
  await database
    .insertInto("exhibits")
    .values({
      id,
      submitter: submitter.identity.id,
      case_ref: caseRef,
      reference,
      source_id: record.sourceId,
      total_bytes: 0,
      reserved_at: now,
      state: "open",
      sealed_at: null,
      record: null,
      receipt: null,
      custody_lines: 0,
      custody_head: "0".repeat(64),
    })
    .execute();
  const custody = await database
    .transaction()
    .execute((trx) => appendCustody(trx, clock, id, "sealed", submitter.identity.id, {}));
  const receipt: Receipt = {
    schema: receiptType,
    id,
    case: caseRef,
    reference,
    receivedAt: now,
    record: { sha256: sha256Of(sealedRecord) },
    files: entries.map((file) => ({
      key: file.key,
      sizeBytes: file.sizeBytes,
      digest: file.digest,
      proof: "whole",
    })),
    issuer: { kind: "server", store: server.url, key: key.publicJwk, thumbprint: key.thumbprint },
    custody,
  };
  await database
    .updateTable("exhibits")
    .set({
      state: "sealed",
      sealed_at: now,
      record: sealedRecord,
      receipt: JSON.stringify(await seal(receipt, receiptType, key)),
    })
    .where("id", "=", id)
    .execute();
  return { id, case: caseRef, reference, files: entries };
}
