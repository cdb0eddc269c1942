import { z } from "zod";
import { ExhibitError } from "../../evidence/errors.ts";
import type { S3Bucket } from "./bucket.ts";
import { failureOf } from "./failures.ts";
import { readXml } from "./xml.ts";

export interface ListedObject {
  /** The whole key in the bucket. */
  readonly object: string;
  readonly sizeBytes: number;
}

const pageSchema = z.object({
  IsTruncated: z.string().optional(),
  NextContinuationToken: z.string().optional(),
  EncodingType: z.string().optional(),
  Contents: z.array(z.object({ Key: z.string(), Size: z.string() })).optional(),
});

/**
 * The objects whose key begins with `prefix`, in key order.
 *
 * @throws ExhibitError as `failureOf`; `unavailable.store` for a list that makes no sense
 */
export async function* listObjects(
  bucket: S3Bucket,
  prefix: string,
  signal: AbortSignal,
): AsyncGenerator<ListedObject> {
  let token: string | undefined;
  for (;;) {
    // Letters that XML cannot hold come in a form that it can.
    const first = { "list-type": "2", "encoding-type": "url", prefix };
    const query = token === undefined ? first : { ...first, "continuation-token": token };
    const answer = await bucket.send({ method: "GET", key: undefined, query }, signal);
    const page = readXml(answer.body, "ListBucketResult", pageSchema);
    if (answer.status >= 300 || page === undefined) throw failureOf(answer);
    for (const { Key, Size } of page.Contents ?? []) {
      const object =
        page.EncodingType === "url" ? decodeURIComponent(Key.replaceAll("+", " ")) : Key;
      yield { object, sizeBytes: Number(Size) };
    }
    if (page.IsTruncated !== "true") return;
    const next = page.NextContinuationToken;
    if (next === undefined || next === token) throw senseless();
    token = next;
  }
}

/** What a list is that goes on and does not say where. */
export function senseless(): ExhibitError {
  return new ExhibitError("unavailable.store", "The store's list makes no sense.", {
    hint: "Check that the endpoint is an S3 one, and try again.",
  });
}
