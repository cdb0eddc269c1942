import { z } from "zod";
import { ExhibitError, hasCode } from "../../evidence/errors.ts";
import type { S3Answer, S3Request } from "./bucket.ts";
import { writeHeaders } from "./encryption.ts";
import { errorCodeIn, failureOf } from "./failures.ts";
import { tokenHeader, type Tried } from "./objects.ts";
import { senseless } from "./listing.ts";
import { readXml } from "./xml.ts";

/** What an engine says of a part that it holds. */
export interface HeldPart {
  readonly number: number;
  readonly sizeBytes: number;
  readonly etag: string;
}

export interface HeldParts {
  /** In order of their numbers. */
  readonly parts: readonly HeldPart[];
  /** When a rule of the bucket will forget the upload. */
  readonly expiresAt: string | undefined;
}

const createdSchema = z.object({ UploadId: z.string().min(1) });
const pageSchema = z.object({
  IsTruncated: z.string().optional(),
  NextPartNumberMarker: z.string().optional(),
  Part: z
    .array(z.object({ PartNumber: z.string(), Size: z.string(), ETag: z.string() }))
    .optional(),
});
const completedSchema = z.looseObject({});

/** Begins an upload whose object will carry `token`. Gives what the engine calls it. */
export async function createMultipart(
  { bucket }: Tried,
  object: string,
  token: string,
  signal: AbortSignal,
): Promise<string> {
  const headers = { ...writeHeaders(bucket), [tokenHeader]: token };
  const answer = await bucket.send(
    { method: "POST", key: object, query: { uploads: "" }, headers },
    signal,
  );
  const created = readXml(answer.body, "InitiateMultipartUploadResult", createdSchema);
  if (answer.status >= 300 || created === undefined) throw failureOf(answer);
  return created.UploadId;
}

/** @throws ExhibitError `not-found.upload` */
export async function listMultipart(
  store: Tried,
  object: string,
  uploadId: string,
  signal: AbortSignal,
): Promise<HeldParts> {
  const parts: HeldPart[] = [];
  let from: Readonly<Record<string, string>> = {};
  for (;;) {
    const answer = await about(
      store,
      { method: "GET", key: object, query: { uploadId, ...from } },
      signal,
    );
    const page = readXml(answer.body, "ListPartsResult", pageSchema);
    if (page === undefined) throw failureOf(answer);
    for (const { PartNumber, Size, ETag } of page.Part ?? []) {
      parts.push({ number: Number(PartNumber), sizeBytes: Number(Size), etag: bare(ETag) });
    }
    if (page.IsTruncated !== "true") {
      const expires = Date.parse(answer.headers["x-amz-abort-date"] ?? "");
      parts.sort((a, b) => a.number - b.number);
      return {
        parts,
        expiresAt: Number.isNaN(expires) ? undefined : new Date(expires).toISOString(),
      };
    }
    if (page.NextPartNumberMarker === undefined) throw senseless();
    from = { "part-number-marker": page.NextPartNumberMarker };
  }
}

/** Has parts put together. Whether that happened is not told by a failure. @throws ExhibitError `not-found.upload`, `integrity.mismatch` */
export async function completeMultipart(
  store: Tried,
  object: string,
  uploadId: string,
  etags: readonly string[],
  signal: AbortSignal,
): Promise<S3Answer> {
  const parts = etags.map(
    (etag, index) => `<Part><PartNumber>${index + 1}</PartNumber><ETag>"${etag}"</ETag></Part>`,
  );
  const body = Buffer.from(`<CompleteMultipartUpload>${parts.join("")}</CompleteMultipartUpload>`);
  const headers = store.enforced.noOverwriteComplete ? { "if-none-match": "*" } : {};
  const answer = await about(
    store,
    { method: "POST", key: object, query: { uploadId }, headers, body },
    signal,
  );
  // 200 stands at the beginning of the answer, and what came of it at its end.
  const told = errorCodeIn(answer.body);
  if (told === "NoSuchUpload") throw noSuchUpload();
  const isDone =
    readXml(answer.body, "CompleteMultipartUploadResult", completedSchema) !== undefined;
  if (told !== undefined || !isDone) throw failureOf({ ...answer, status: 500 });
  return answer;
}

/** Has the engine forget an upload. What is not there is not an error. */
export async function abortMultipart(
  store: Tried,
  object: string,
  uploadId: string,
  signal: AbortSignal,
): Promise<void> {
  try {
    await about(store, { method: "DELETE", key: object, query: { uploadId } }, signal);
  } catch (error) {
    if (!hasCode(error, "not-found.upload")) throw error;
  }
}

/** A request about an upload: what is not found is the upload, whatever engines call it. */
export async function about(
  { bucket }: Tried,
  request: S3Request,
  signal: AbortSignal,
): Promise<S3Answer> {
  const answer = await bucket.send(request, signal);
  if (answer.status < 300) return answer;
  const told = errorCodeIn(answer.body);
  if (answer.status === 404 && told !== "NoSuchBucket") throw noSuchUpload();
  if (told?.startsWith("InvalidPart") === true) throw otherParts();
  throw failureOf(answer);
}

export function bare(etag: string): string {
  return etag.replaceAll(/"|&quot;/g, "");
}

export function noSuchUpload(): ExhibitError {
  return new ExhibitError("not-found.upload", "There is no such upload (any more).", {
    hint: "It was finished, aborted, or it expired. Run the same upload command again.",
  });
}

function otherParts(): ExhibitError {
  return new ExhibitError("integrity.mismatch", "The store holds other parts than were sent.", {
    hint: "Nothing became visible. Run the same command again.",
  });
}

/** Whether a failure to complete leaves open what became of the upload. */
export function isAmbiguous(error: unknown): error is ExhibitError {
  if (!(error instanceof ExhibitError)) return false;
  return /^(?:unavailable|not-found|conflict)\./.test(error.code);
}

/** An answer, and that of an engine in trouble; one that is out of reach has nothing to say. */
export function isInTrouble({ code, facts }: ExhibitError): boolean {
  return code === "unavailable.store" && "status" in facts;
}
