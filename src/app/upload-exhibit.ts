import type { ExhibitEntry, SealedExhibit } from "../evidence/ports/register.ts";
import type { Connection } from "../evidence/ports/connection.ts";
import { formatAddress } from "../evidence/address.ts";
import { ExhibitError } from "../evidence/errors.ts";
import { contentKey } from "../evidence/key.ts";
import { proves, type Proof } from "../evidence/proof.ts";
import type { FixedDigests } from "../transfer/fixed-digest.ts";
import type { Line } from "../transfer/line.ts";
import { persistently } from "../transfer/persistence.ts";
import { transferFile } from "../transfer/transfer-file.ts";
import { requireSameContent } from "./already-present.ts";
import { signedRecord } from "./signed-record.ts";
import type { Deps } from "./deps.ts";
import type { ExhibitPlan } from "./exhibit-plan.ts";
import { retainExhibit } from "./retain-exhibit.ts";
import { severalAtATime } from "./several-at-a-time.ts";
import type { UploadedExhibit } from "./upload-outcome.ts";
import type { UploadRequest } from "./upload-request.ts";

/** One exhibit's upload and what it is done with. */
export interface ExhibitUpload {
  readonly deps: Pick<
    Deps,
    "source" | "journal" | "receipts" | "clock" | "patience" | "outage" | "tool" | "onEvent"
  >;
  readonly connection: Connection;
  readonly jobId: string;
  readonly request: UploadRequest;
  readonly line: Line;
  /** What was fixed of the files before anything was sent, where that was asked for. */
  readonly fixed?: FixedDigests | undefined;
  readonly plan: ExhibitPlan;
}

/**
 * Brings a reserved exhibit's files in, seals its record, keeps the receipt, and has all retained where that was asked for.
 *
 * @throws ExhibitError `conflict.exists`, `conflict.locked`, `integrity.*`, `unavailable.*`, `policy.*`, `auth.*`
 */
export async function uploadReserved(
  upload: ExhibitUpload,
  entry: ExhibitEntry,
  signal: AbortSignal,
): Promise<UploadedExhibit> {
  const { journal } = upload.deps;
  journal.claim(entry.id);
  try {
    const uploaded =
      entry.state === "sealed"
        ? await alreadyPresent(upload, entry, signal)
        : await sendAndSeal(upload, entry, signal);
    const { retention } = upload.request;
    if (retention === undefined) return uploaded;
    return { ...uploaded, retained: await retainExhibit(upload, retention, uploaded, signal) };
  } finally {
    journal.release(entry.id);
  }
}

async function alreadyPresent(
  upload: ExhibitUpload,
  entry: ExhibitEntry,
  signal: AbortSignal,
): Promise<UploadedExhibit> {
  const { deps, connection, plan } = upload;
  const sealed = await persistently(() => connection.register.read(entry, signal), deps, signal);
  await requireSameContent(deps, plan, sealed.record, signal);
  const bytes = { bytesSent: 0, bytesSkipped: plan.totalBytes };
  return { ...(await keepReceipt(upload, sealed)), outcome: "already-present", ...bytes };
}

async function sendAndSeal(
  upload: ExhibitUpload,
  entry: ExhibitEntry,
  signal: AbortSignal,
): Promise<UploadedExhibit> {
  const { deps, connection, request, plan } = upload;
  const collectedAt = deps.clock.now();
  // Their parts share the buffers of all files that are on their way: several at a time take no more memory than one.
  const files = await severalAtATime(
    plan.files,
    request.concurrency,
    signal,
    async (file, index, stop) => {
      const name = file.path.slice(file.path.lastIndexOf("/") + 1);
      const transfer = {
        ...deps,
        entry: file,
        store: connection.store,
        key: contentKey(entry.case, entry.reference, index + 1, name),
        jobId: upload.jobId,
        exhibitId: entry.id,
        requireProof: request.requireProof,
        line: upload.line,
        fixed: upload.fixed,
      };
      return { entry: file, transferred: await transferFile(transfer, stop) };
    },
  );
  const proofs = new Map(files.map(({ transferred }) => [transferred.key, transferred]));
  for (const { proof } of proofs.values()) requireProof(proof, request.requireProof, entry);
  const { tool } = deps;
  const facts = { request, plan, entry, collectedAt, files, connection, tool };
  const document = await signedRecord(facts);
  const sealed = await persistently(
    () => connection.register.sealRecord(entry, document, proofs, signal),
    deps,
    signal,
  );
  return {
    ...(await keepReceipt(upload, sealed)),
    outcome: "uploaded",
    bytesSent: files.reduce((sum, { transferred }) => sum + transferred.bytesSent, 0),
    bytesSkipped: files.reduce((sum, { transferred }) => sum + transferred.bytesSkipped, 0),
  };
}

/** An exhibit that has only a size to show for itself is not called proved, whatever was asked. */
function requireProof(proof: Proof, wanted: Proof, entry: ExhibitEntry): void {
  if (proves(proof, wanted) && proves(proof, "transport")) return;
  throw new ExhibitError(
    "integrity.proof-too-weak",
    `${formatAddress(entry)} arrived, but the store proved only "${proof}".`,
    {
      hint: "It is not sealed. Ask for a weaker proof with --require-proof, or use a store that proves more.",
      facts: { proof, wanted },
    },
  );
}

async function keepReceipt(
  { deps, request }: ExhibitUpload,
  sealed: SealedExhibit,
): Promise<Omit<UploadedExhibit, "outcome" | "bytesSent" | "bytesSkipped">> {
  const path = await deps.receipts.save(sealed, sealed.sealedReceipt, request.receiptFile);
  return uploadedOf(sealed, path);
}

/** What is told of a sealed exhibit whose receipt is kept at `receiptPath`. */
export function uploadedOf(
  { id, case: caseRef, reference, record, receipt }: SealedExhibit,
  receiptPath: string,
): Omit<UploadedExhibit, "outcome" | "bytesSent" | "bytesSkipped"> {
  const contents = record.files.map(({ path, key, digest }) => ({
    path,
    key,
    sha256: digest.sha256,
  }));
  return { id, case: caseRef, reference, files: contents.length, contents, receipt, receiptPath };
}
