import { createHash, randomBytes } from "node:crypto";
import type { Outcome, StoreFinding } from "../../../evidence/ports/store-probe.ts";
import { isFine, refusalOf } from "./reaction.ts";
import type { Scratch } from "./scratch.ts";

const body = Buffer.from("encrypted");
const asked = "x-amz-server-side-encryption";

export interface EncryptionFound {
  readonly sse: { readonly s3: Outcome; readonly kms: Outcome; readonly customer: Outcome };
  readonly findings: readonly StoreFinding[];
}

/** Which of the three ways to encrypt at rest the store takes, and whether what it stored shows it. */
export async function checkEncryption(
  scratch: Scratch,
  kmsKeyId: string | undefined,
): Promise<EncryptionFound> {
  const s3 = await shown(scratch, "sse-s3", { [asked]: "AES256" });
  const named = kmsKeyId === undefined ? {} : { [`${asked}-aws-kms-key-id`]: kmsKeyId };
  const kms = await shown(scratch, "sse-kms", { [asked]: "aws:kms", ...named });
  const customer = await withOwnKey(scratch);
  const withoutKey = kms === "refused" && kmsKeyId === undefined;
  return {
    sse: { s3, kms, customer },
    findings: [
      {
        id: "sse-s3",
        what: "Encryption with the store's key (SSE-S3)",
        outcome: s3,
        detail: undefined,
      },
      {
        id: "sse-kms",
        what: "Encryption with a key of the KMS (SSE-KMS)",
        outcome: kms,
        detail: withoutKey ? "tried without naming a key" : undefined,
      },
      {
        id: "sse-c",
        what: "Encryption with a key of ours (SSE-C)",
        outcome: customer,
        detail: undefined,
      },
    ],
  };
}

async function shown(
  scratch: Scratch,
  name: string,
  headers: Readonly<Record<string, string>>,
): Promise<Outcome> {
  const key = scratch.key(name);
  const answer = await scratch.put(key, body, { headers });
  if (!isFine(answer)) return refusalOf(answer);
  const head = await scratch.send({ method: "HEAD", key });
  return head.headers[asked] === headers[asked] ? "works" : "ignored";
}

/** Works where the content is refused to those without the key, and given to those with it. */
async function withOwnKey(scratch: Scratch): Promise<Outcome> {
  const secret = randomBytes(32);
  const headers = {
    [`${asked}-customer-algorithm`]: "AES256",
    [`${asked}-customer-key`]: secret.toString("base64"),
    [`${asked}-customer-key-md5`]: createHash("md5").update(secret).digest("base64"),
  };
  const key = scratch.key("sse-c");
  const answer = await scratch.put(key, body, { headers });
  if (!isFine(answer)) return refusalOf(answer);
  const without = await scratch.send({ method: "GET", key });
  const withKey = await scratch.send({ method: "GET", key, headers });
  return !isFine(without) && withKey.body.equals(body) ? "works" : "ignored";
}
