import { sha256Of } from "../../evidence/digest.ts";
import { custodyName, exhibitPrefix, receiptName, recordName } from "../../evidence/key.ts";
import type { WholeFile } from "../../evidence/ports/grouped-content.ts";
import { keptSchema } from "../../evidence/kept.ts";
import { receiptType, type Receipt } from "../../evidence/receipt.ts";
import type { ExhibitRecord } from "../../evidence/record.ts";
import { seal, type Sealed } from "../../evidence/seal.ts";
import type { ExhibitRow, StoredFileRow } from "../database/exhibit-tables.ts";
import type { ServerDeps } from "../deps.ts";

/** The receipt of an exhibit whose record was checked against the files that are held. */
export function receiptOf(
  { key, settings, content }: Pick<ServerDeps, "key" | "settings" | "content">,
  record: ExhibitRecord,
  facts: {
    readonly digest: string;
    readonly sealedAt: string;
    readonly custody: { readonly lines: number; readonly head: string };
    readonly stored: readonly Pick<StoredFileRow, "key" | "proof" | "kept">[];
  },
): Promise<Sealed> {
  const stored = new Map(facts.stored.map((file) => [file.key, file]));
  const { check } = content.capabilities;
  const receipt: Receipt = {
    schema: receiptType,
    id: record.id,
    case: record.case,
    reference: record.reference,
    receivedAt: facts.sealedAt,
    record: { sha256: facts.digest },
    files: record.files.map(({ key: fileKey, sizeBytes, digest }) => ({
      key: fileKey,
      sizeBytes,
      digest,
      ...provedAs(stored.get(fileKey)),
    })),
    issuer: {
      kind: "server",
      store: settings.publicUrl,
      key: key.publicJwk,
      thumbprint: key.thumbprint,
    },
    ...(check === undefined ? {} : { storeCheck: check }),
    custody: { lines: facts.custody.lines, head: facts.custody.head },
  };
  return seal(receipt, receiptType, key);
}

function provedAs(
  file: Pick<StoredFileRow, "proof" | "kept"> | undefined,
): Pick<Receipt["files"][number], "proof" | "kept"> {
  if (file === undefined) throw new Error("A file of the record was not checked.");
  const { proof, kept } = file;
  return { proof, ...(kept === null ? {} : { kept: keptSchema.parse(JSON.parse(kept)) }) };
}

/** The documents of a settled exhibit, in the order in which they are written; `lines` is its custody log up to the sealing. */
export function documentsIn(exhibit: ExhibitRow, lines: readonly string[]): WholeFile[] {
  const prefix = exhibitPrefix(exhibit.case_ref, exhibit.reference);
  const texts: [string, string][] = [
    [custodyName, lines.map((line) => `${line}\n`).join("")],
    [recordName, exhibit.record ?? ""],
    [receiptName, exhibit.receipt ?? ""],
  ];
  return texts.map(([name, text]) => ({
    key: `${prefix}/${name}`,
    bytes: Buffer.from(text),
    sha256: sha256Of(text),
  }));
}
