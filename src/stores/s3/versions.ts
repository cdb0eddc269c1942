import { z } from "zod";
import type { S3Bucket } from "./bucket.ts";
import { failureOf } from "./failures.ts";
import { senseless } from "./listing.ts";
import { readXml } from "./xml.ts";

const pageSchema = z.object({
  IsTruncated: z.string().optional(),
  NextKeyMarker: z.string().optional(),
  NextVersionIdMarker: z.string().optional(),
});
/** Read as a list of one. */
const entrySchema = z.tuple([z.object({ Key: z.string(), VersionId: z.string() })]);

/** One version of an object, or a marker that it was deleted there. */
export interface Version {
  readonly id: string;
  readonly isMarker: boolean;
}

/**
 * The versions of an object and the markers of its deletion, newest first.
 *
 * @throws ExhibitError as `failureOf`; `unavailable.store` for a list that makes no sense
 */
export async function versionsOf(
  bucket: S3Bucket,
  object: string,
  signal: AbortSignal,
): Promise<Version[]> {
  const found: Version[] = [];
  let from: Readonly<Record<string, string>> = {};
  for (;;) {
    const query = { versions: "", prefix: object, ...from };
    const answer = await bucket.send({ method: "GET", key: undefined, query }, signal);
    const page = readXml(answer.body, "ListVersionsResult", pageSchema);
    if (answer.status >= 300 || page === undefined) throw failureOf(answer);
    for (const version of entriesIn(answer.body, object)) found.push(version);
    if (page.IsTruncated !== "true") return found;
    if (page.NextKeyMarker === undefined) throw senseless();
    from = {
      "key-marker": page.NextKeyMarker,
      "version-id-marker": page.NextVersionIdMarker ?? "",
    };
  }
}

/** Those that can be seen: newer than the newest marker of deletion. */
export function notDeleted(versions: readonly Version[]): readonly Version[] {
  const at = versions.findIndex(({ isMarker }) => isMarker);
  return at < 0 ? versions : versions.slice(0, at);
}

/** Versions and markers stand between each other, by age, which parsing by name would lose. */
function* entriesIn(body: Buffer, object: string): Generator<Version> {
  for (const [text, name = ""] of body
    .toString("utf8")
    .matchAll(/<(Version|DeleteMarker)>.*?<\/\1>/gs)) {
    const [entry] = readXml(Buffer.from(text), name, entrySchema) ?? [];
    if (entry === undefined) throw senseless();
    if (entry.Key === object) yield { id: entry.VersionId, isMarker: name === "DeleteMarker" };
  }
}
