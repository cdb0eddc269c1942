import { z } from "zod";
import type { S3Bucket } from "./bucket.ts";
import { failureOf } from "./failures.ts";
import { senseless } from "./listing.ts";
import { readXml } from "./xml.ts";

const pageSchema = z.object({
  Contents: z.array(z.object({ Key: z.string() })).default([]),
  IsTruncated: z.string().optional(),
  NextContinuationToken: z.string().optional(),
  EncodingType: z.string().optional(),
});

/**
 * All keys that begin with `prefix`, in the store's order, a page at a time (ListObjectsV2).
 *
 * @throws ExhibitError as {@link failureOf}; `unavailable.store` for a list that makes no sense
 */
export async function* keysIn(
  bucket: S3Bucket,
  prefix: string,
  signal: AbortSignal,
): AsyncGenerator<string[]> {
  let token: string | undefined;
  do {
    // Letters that XML cannot hold come in a form that it can.
    const query = { "list-type": "2", "encoding-type": "url", prefix };
    const answer = await bucket.send(
      {
        method: "GET",
        key: undefined,
        query: token === undefined ? query : { ...query, "continuation-token": token },
      },
      signal,
    );
    if (answer.status !== 200) throw failureOf(answer);
    const page = readXml(answer.body, "ListBucketResult", pageSchema);
    if (page === undefined) throw senseless();
    const isEncoded = page.EncodingType === "url";
    yield page.Contents.map(({ Key }) =>
      isEncoded ? decodeURIComponent(Key.replaceAll("+", " ")) : Key,
    );
    const next = page.IsTruncated === "true" ? page.NextContinuationToken : undefined;
    if (page.IsTruncated === "true" && (next === undefined || next === token)) throw senseless();
    token = next;
  } while (token !== undefined);
}
