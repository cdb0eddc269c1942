import { sha256Of } from "../../../evidence/digest.ts";
import type { Outcome, StoreFinding } from "../../../evidence/ports/store-probe.ts";
import type { S3Answer } from "../bucket.ts";
import { errorCodeIn } from "../failures.ts";
import { reactionOf } from "./reaction.ts";
import type { Scratch } from "./scratch.ts";

const body = Buffer.from("one part");
const otherBytes = Buffer.from("two part");
const longer = Buffer.concat([body, body]);

const lifeSeconds = 300;

export interface PresignedFound {
  readonly presignedDigest: boolean;
  readonly findings: readonly StoreFinding[];
}

/**
 * Whether parts may be sent by those who have no keys: to an address that is good for these bytes alone. An engine may compare
 * digests in signed headers, and not those of an address.
 */
export async function checkPresigned(scratch: Scratch): Promise<PresignedFound> {
  const outcome =
    scratch.bucket.customerKey === undefined ? await reactionToWrong(scratch) : "untested";
  return {
    presignedDigest: outcome === "enforced",
    findings: [
      {
        id: "presigned-digest",
        what: "SHA-256 and length of a part, signed in an address for others",
        outcome,
        detail:
          scratch.bucket.customerKey === undefined
            ? undefined
            : "content is encrypted with a key that is not for others",
      },
    ],
  };
}

/** What becomes of other bytes, of more bytes, and of other bytes whose digest is said with them. */
async function reactionToWrong(scratch: Scratch): Promise<Outcome> {
  const key = scratch.key("presigned");
  const uploadId = await scratch.begin(key);
  const wrongs: readonly (readonly [body: Buffer, said: Readonly<Record<string, string>>])[] = [
    [otherBytes, {}],
    [longer, { "content-length": String(longer.length) }],
    [otherBytes, { "x-amz-content-sha256": "UNSIGNED-PAYLOAD" }],
  ];
  let last: S3Answer | undefined;
  const put = async (
    bytes: Buffer,
    said: Readonly<Record<string, string>> = {},
  ): Promise<S3Answer> => {
    const promised = { key, query: { partNumber: "1", uploadId }, sizeBytes: body.length };
    const sha256 = sha256Of(body);
    const { url, headers } = await scratch.bucket.presignPut({ ...promised, sha256 }, lifeSeconds);
    last = await scratch.putTo({ url, headers: { ...headers, ...said } }, bytes);
    return last;
  };
  for (const [bytes, said] of wrongs) {
    const outcome = await reactionOf(
      () => put(body),
      () => put(bytes, said),
    );
    // Swift leaves a digest out of what it signs in an address: it is no matter of rights.
    if (outcome === "denied" && last !== undefined && isAboutSignature(last)) return "refused";
    if (outcome !== "enforced") return outcome;
  }
  return "enforced";
}

function isAboutSignature({ body }: S3Answer): boolean {
  return errorCodeIn(body) === "SignatureDoesNotMatch";
}
