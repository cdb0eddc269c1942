import { z } from "zod";
import type { S3Bucket } from "./bucket.ts";
import { failureOf } from "./failures.ts";
import { readXml } from "./xml.ts";

const pageSchema = z.object({
  IsTruncated: z.string().optional(),
  NextKeyMarker: z.string().optional(),
  NextVersionIdMarker: z.string().optional(),
  Version: z.array(z.object({ Key: z.string(), VersionId: z.string() })).optional(),
});

/** The versions of an object, newest first; markers of deletion are none. @throws ExhibitError as `failureOf` */
export async function versionsOf(
  bucket: S3Bucket,
  object: string,
  signal: AbortSignal,
): Promise<{ readonly id: string }[]> {
  const found: { id: string }[] = [];
  let from: Readonly<Record<string, string>> = {};
  for (;;) {
    const query = { versions: "", prefix: object, ...from };
    const answer = await bucket.send({ method: "GET", key: undefined, query }, signal);
    const page = readXml(answer.body, "ListVersionsResult", pageSchema);
    if (answer.status >= 300 || page === undefined) throw failureOf(answer);
    for (const { Key, VersionId } of page.Version ?? [])
      if (Key === object) found.push({ id: VersionId });
    if (page.IsTruncated !== "true" || page.NextKeyMarker === undefined) return found;
    from = {
      "key-marker": page.NextKeyMarker,
      "version-id-marker": page.NextVersionIdMarker ?? "",
    };
  }
}
