import { createHash } from "node:crypto";
import type { S3Answer, S3Request } from "../bucket.ts";
import type { Scratch } from "./scratch.ts";

/** One version of an object; where a bucket keeps none, the object. */
export interface Version {
  readonly key: string;
  readonly query: Readonly<Record<string, string>>;
}

/** The version that an answer's headers tell of. */
export function versionIn(key: string, { headers }: Pick<S3Answer, "headers">): Version {
  const versionId = headers["x-amz-version-id"];
  return { key, query: versionId === undefined ? {} : { versionId } };
}

/** The version that is there now. Completing an upload does not tell it everywhere. */
export async function newestOf(scratch: Scratch, key: string): Promise<Version> {
  return versionIn(key, await scratch.send({ method: "HEAD", key }));
}

/** Sets `retention` or `legal-hold` of a version. Only for buckets that say they have Object Lock: others store `text` as the object. */
export function setLock<Answer>(
  at: { send(request: S3Request): Promise<Answer> },
  { key, query }: Version,
  lock: "retention" | "legal-hold",
  text: string,
): Promise<Answer> {
  const body = Buffer.from(text);
  const headers = { "content-md5": createHash("md5").update(body).digest("base64") };
  return at.send({ method: "PUT", key, query: { ...query, [lock]: "" }, headers, body });
}

export function legalHoldText(status: "ON" | "OFF"): string {
  return `<LegalHold><Status>${status}</Status></LegalHold>`;
}

export function retentionText(
  until: string,
  mode: "GOVERNANCE" | "COMPLIANCE" = "GOVERNANCE",
): string {
  return `<Retention><Mode>${mode}</Mode><RetainUntilDate>${until}</RetainUntilDate></Retention>`;
}
