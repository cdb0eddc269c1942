import { createHash } from "node:crypto";
import type { S3Bucket } from "./bucket.ts";

type Headers = Readonly<Record<string, string>>;

/** What a request says that writes an object: how it shall be encrypted where it lies. */
export function writeHeaders({ address, customerKey }: S3Bucket): Headers {
  const { sse, kmsKeyId } = address;
  if (sse === "s3") return { "x-amz-server-side-encryption": "AES256" };
  if (sse === "kms") {
    return {
      "x-amz-server-side-encryption": "aws:kms",
      ...(kmsKeyId === undefined
        ? {}
        : { "x-amz-server-side-encryption-aws-kms-key-id": kmsKeyId }),
    };
  }
  return keyHeaders(customerKey);
}

/** What a request says that reads an object, or writes a part of one: the key, where it is ours. */
export function readHeaders({ customerKey }: S3Bucket): Headers {
  return keyHeaders(customerKey);
}

function keyHeaders(key: Buffer | undefined): Headers {
  if (key === undefined) return {};
  const name = "x-amz-server-side-encryption-customer";
  return {
    [`${name}-algorithm`]: "AES256",
    [`${name}-key`]: key.toString("base64"),
    [`${name}-key-md5`]: createHash("md5").update(key).digest("base64"),
  };
}
