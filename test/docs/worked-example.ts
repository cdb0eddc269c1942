import { createHash } from "node:crypto";
import { checkCustody, emptyCustody, nextCustodyLine } from "../../src/evidence/custody.ts";
import { sha256Of } from "../../src/evidence/digest.ts";
import { receiptSchema, receiptType } from "../../src/evidence/receipt.ts";
import { recordSchema, recordType } from "../../src/evidence/record.ts";
import { seal, signingKey } from "../../src/evidence/seal.ts";

/** The Ed25519 key that RFC 8037 appendix A.1 publishes: known to all, so it signs nothing but this example. */
const rfc8037Key = {
  kty: "OKP",
  crv: "Ed25519",
  d: "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A",
  x: "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
};

/** Makes the files of `docs/formats/example`, always the same, by the product's own code. */
export async function workedExample(): Promise<Map<string, string>> {
  const key = await signingKey(rfc8037Key);
  const content = "This line stands for four hours of bus CCTV.\n";
  const id = "x0123456789abcdefghjkmnpqrs";
  const contentKey = "01AB1234526/ABC_1/ABC_1-0001.txt";
  const sizeBytes = Buffer.byteLength(content);
  const digest = { sha256: sha256Of(content) };

  const record = recordSchema.parse({
    schema: recordType,
    id,
    case: "01AB1234526",
    reference: "ABC/1",
    title: "Bus 42, upper deck, 21 November, evening",
    producer: "A. B. Carter, Garage North",
    oic: "DC 1234",
    source: { camera: "Upper deck rear", recorder: "DVR 7" },
    sourceId: "bus42-2026-11-21-upper",
    recorded: {
      from: "2026-11-21T18:00:00Z",
      to: "2026-11-21T22:00:00Z",
      timeZone: "Europe/London",
    },
    clockOffset: { seconds: 95, measuredBy: "recorder's clock against the speaking clock" },
    collectedAt: "2026-11-22T09:00:00Z",
    files: [
      {
        path: "DVR 7/upper deck.txt",
        key: contentKey,
        sizeBytes,
        modifiedAt: "2026-11-21T22:00:05Z",
        digest,
        mediaType: "text/plain",
      },
    ],
    uploader: { key: key.publicJwk, thumbprint: key.thumbprint },
    tool: { name: "exhibit", version: "0.1.0" },
  });
  const recordText = JSON.stringify(await seal(record, recordType, key));

  const events = [
    { verb: "reserved", at: "2026-11-22T09:00:00Z", facts: { reference: "ABC/1" } },
    { verb: "received", at: "2026-11-22T09:00:01Z", facts: { key: contentKey, sizeBytes } },
    { verb: "proved", at: "2026-11-22T09:00:01Z", facts: { key: contentKey, ...digest } },
    { verb: "sealed", at: "2026-11-22T09:00:02Z", facts: { record: sha256Of(recordText) } },
  ] as const;
  let head = emptyCustody;
  const lines = events.map((event) => {
    const next = nextCustodyLine(head, { exhibit: id, actor: "i0example", ...event });
    head = next.after;
    return next.line;
  });
  checkCustody(lines);

  const receipt = receiptSchema.parse({
    schema: receiptType,
    id,
    case: record.case,
    reference: record.reference,
    receivedAt: "2026-11-22T09:00:02Z",
    record: { sha256: sha256Of(recordText) },
    files: [
      {
        key: contentKey,
        sizeBytes,
        digest,
        proof: "whole",
        kept: {
          version: "3HL4kqtJvjVBH40Nrjfkd",
          etag: createHash("md5").update(content).digest("hex"),
          etagIs: "md5",
          noOverwrite: "if-none-match",
        },
      },
    ],
    issuer: {
      kind: "server",
      store: "https://evidence.example.police.uk",
      key: key.publicJwk,
      thumbprint: key.thumbprint,
    },
    storeCheck: {
      checkedAt: "2026-11-20T06:30:00Z",
      enforces: ["payload-hash", "content-md5", "no-overwrite-put", "versioning"],
    },
    custody: head,
  });

  return new Map([
    ["upper deck.txt", content],
    ["record.json", recordText],
    ["receipt.json", JSON.stringify(await seal(receipt, receiptType, key))],
    ["custody.jsonl", lines.map((line) => `${line}\n`).join("")],
    ["record.payload.json", `${JSON.stringify(record, undefined, 2)}\n`],
    ["receipt.payload.json", `${JSON.stringify(receipt, undefined, 2)}\n`],
  ]);
}
