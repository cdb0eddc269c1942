import { z } from "zod";
import type { S3Answer } from "../bucket.ts";
import { readXml } from "../xml.ts";

const uploadSchema = z.object({ UploadId: z.string().min(1) });
const uploadsSchema = z.object({
  Upload: z.array(z.object({ Key: z.string(), UploadId: z.string() })).default([]),
});
const completedSchema = z.object({ ETag: z.string().default("") });
const partsSchema = z.object({
  Part: z.array(z.object({ PartNumber: z.string(), Size: z.string(), ETag: z.string() })),
});
const statusSchema = z.object({ Status: z.string() });
const lockSchema = z.object({
  ObjectLockEnabled: z.literal("Enabled"),
  Rule: z
    .array(
      z.object({
        DefaultRetention: z.object({
          Mode: z.string(),
          Days: z.string().optional(),
          Years: z.string().optional(),
        }),
      }),
    )
    .default([]),
});
const entriesSchema = z
  .array(z.object({ Key: z.string(), VersionId: z.string().optional() }))
  .default([]);
const versionsSchema = z.object({ Version: entriesSchema, DeleteMarker: entriesSchema });
const objectsSchema = z.object({ Contents: entriesSchema });

/** The region in the answer to `?location`, "" for the first one; undefined when it is no such answer. */
export function locationIn({ body }: S3Answer): string | undefined {
  return readXml(body, "LocationConstraint", z.string());
}

export function uploadIdIn({ body }: S3Answer): string | undefined {
  return readXml(body, "InitiateMultipartUploadResult", uploadSchema)?.UploadId;
}

/** Uploads in a list of them, each with its key. */
export function uploadsIn({ body }: S3Answer): readonly (readonly [id: string, key: string])[] {
  const found = readXml(body, "ListMultipartUploadsResult", uploadsSchema)?.Upload ?? [];
  return found.map(({ UploadId, Key }) => [UploadId, Key]);
}

/** The ETag of a completed upload without its quotation marks; "" where there is none. */
export function completedEtagIn({ body }: S3Answer): string {
  return unquoted(readXml(body, "CompleteMultipartUploadResult", completedSchema)?.ETag ?? "");
}

export function partsIn({
  body,
}: S3Answer): readonly { readonly number: string; readonly sizeBytes: number; etag: string }[] {
  const found = readXml(body, "ListPartsResult", partsSchema)?.Part ?? [];
  return found.map(({ PartNumber, Size, ETag }) => {
    return { number: PartNumber, sizeBytes: Number(Size), etag: unquoted(ETag) };
  });
}

/** `Enabled`, `Suspended`; undefined where a bucket never had versions. */
export function versioningIn({ body }: S3Answer): string | undefined {
  return readXml(body, "VersioningConfiguration", statusSchema)?.Status;
}

/** How a bucket locks by default; undefined where it does not say that it locks at all. */
export function objectLockIn({ body }: S3Answer):
  | {
      readonly byDefault: { readonly mode: string; readonly period: string } | undefined;
    }
  | undefined {
  const found = readXml(body, "ObjectLockConfiguration", lockSchema);
  if (found === undefined) return undefined;
  const rule = found.Rule[0]?.DefaultRetention;
  if (rule === undefined) return { byDefault: undefined };
  const { Mode, Days, Years } = rule;
  return {
    byDefault: {
      mode: Mode,
      period: Days === undefined ? `${Years ?? "?"} years` : `${Days} days`,
    },
  };
}

export function legalHoldIn({ body }: S3Answer): string | undefined {
  return readXml(body, "LegalHold", statusSchema)?.Status;
}

/** Versions and the marks of deletions in a list of versions, or the objects in a list of those. */
export function entriesIn({
  body,
}: S3Answer): readonly { readonly Key: string; readonly VersionId?: string | undefined }[] {
  const versions = readXml(body, "ListVersionsResult", versionsSchema);
  if (versions !== undefined) return [...versions.Version, ...versions.DeleteMarker];
  return readXml(body, "ListBucketResult", objectsSchema)?.Contents ?? [];
}

/** An ETag comes with quotation marks or without. */
export function unquoted(etag: string): string {
  return etag.replaceAll('"', "");
}
