import type { Outcome, StoreFinding } from "../../../evidence/ports/store-probe.ts";
import type { S3Answer } from "../bucket.ts";
import { failureOf } from "../failures.ts";
import { completedEtagIn, partsIn, unquoted } from "./answers.ts";
import { isDone } from "./done.ts";
import { isFine, refusalOf } from "./reaction.ts";
import type { Scratch } from "./scratch.ts";

const body = Buffer.from("one part");

export interface InPartsFound {
  readonly listParts: boolean;
  readonly completeEtag: boolean;
  readonly findings: readonly StoreFinding[];
}

/** Whether an upload can be taken up again from what the store says it has, and what completing one answers. */
export async function checkInParts(scratch: Scratch, mayComplete: boolean): Promise<InPartsFound> {
  const key = scratch.key("in-parts");
  const uploadId = await scratch.begin(key);
  const part = await scratch.putPart(key, uploadId, body);
  if (!isFine(part)) throw failureOf(part);
  const etag = part.headers["etag"] ?? "";
  const listed = await scratch.send({ method: "GET", key, query: { uploadId } });
  const parts: Outcome = !isFine(listed)
    ? refusalOf(listed)
    : tells(listed, etag)
      ? "works"
      : "ignored";
  const complete = mayComplete ? await etagOfComplete(scratch, key, uploadId, etag) : "untested";
  return {
    listParts: parts === "works",
    completeEtag: complete === "works",
    findings: [
      { id: "list-parts", what: "Listing an upload's parts", outcome: parts, detail: undefined },
      {
        id: "complete-etag",
        what: "ETag in the answer to CompleteMultipartUpload",
        outcome: complete,
        detail: complete === "ignored" ? "empty; asked for afterwards" : undefined,
      },
    ],
  };
}

function tells(answer: S3Answer, etag: string): boolean {
  const [part, ...others] = partsIn(answer);
  if (part === undefined || others.length > 0) return false;
  const { number, sizeBytes } = part;
  return number === "1" && sizeBytes === body.length && part.etag === unquoted(etag);
}

async function etagOfComplete(
  scratch: Scratch,
  key: string,
  uploadId: string,
  etag: string,
): Promise<Outcome> {
  const answer = await scratch.complete(key, uploadId, etag);
  if (!isDone(answer)) throw failureOf(answer);
  return completedEtagIn(answer) === "" ? "ignored" : "works";
}
