import { z } from "zod";
import { heldCaseSchema } from "./case.ts";
import { digestSchema } from "./digest.ts";
import { exhibitIdSchema } from "./address.ts";
import { fetchedSchema } from "./fetched.ts";
import { keySchema } from "./key.ts";
import { publicJwkSchema } from "./seal.ts";
import { referenceSchema } from "./reference.ts";
import { retentionSchema } from "./retention.ts";

export const recordType = "exhibit.record/1";

const instant = z.iso.datetime({ offset: true });
const text = z.string().min(1).max(2000);

/** What the store that a file was fetched from said of it. */
const originSchema = z.strictObject({
  /** Its address there: `s3://BUCKET/KEY`. */
  url: z.string().min(1).max(4096),
  /** The version that was fetched, where the store keeps several. */
  version: z.string().min(1).max(1024).optional(),
  etag: z.string().min(1).max(1024).optional(),
  /** When it was stored there; `modifiedAt` is its own time, where the store was told one. */
  storedAt: instant,
});
export type Origin = z.infer<typeof originSchema>;

/** One file as it was collected: its own name and folder live here and nowhere else. */
export const recordFileSchema = z.strictObject({
  /** Original relative path with `/` between folders, exactly as on the source. */
  path: z.string().min(1).max(4096),
  /** The path's raw bytes in hex, where they were not UTF-8 and `path` shows replacements. */
  pathBytes: z
    .string()
    .regex(/^(?:[0-9a-f]{2})+$/)
    .optional(),
  key: keySchema,
  sizeBytes: z.number().int().nonnegative(),
  modifiedAt: instant,
  digest: digestSchema,
  mediaType: z.string().max(127),
  origin: originSchema.optional(),
  /** Of a file that was brought in by a link. */
  fetched: fetchedSchema.optional(),
});
export type RecordFile = z.infer<typeof recordFileSchema>;

const fields = {
  schema: z.literal(recordType),
  id: exhibitIdSchema,
  case: heldCaseSchema,
  reference: referenceSchema,
  title: text.optional(),
  producer: text.optional(),
  oic: text.optional(),
  source: z
    .strictObject({
      camera: text.optional(),
      recorder: text.optional(),
      system: text.optional(),
    })
    .optional(),
  /** What the submitter's system calls this exhibit. */
  sourceId: z.string().min(1).max(512),
  recorded: z
    .strictObject({
      from: instant.optional(),
      to: instant.optional(),
      timeZone: z.string().max(64),
    })
    .optional(),
  /** How far the recorder's clock was from true time (recorder minus true), and how that was measured. */
  clockOffset: z.strictObject({ seconds: z.number(), measuredBy: text }).optional(),
  collectedAt: instant,
  /** How far this machine's clock was from the server's (this machine minus server), where one was asked. */
  uploaderClockOffsetMs: z.number().int().optional(),
  files: z.array(recordFileSchema).min(1).max(10_000),
  uploader: z.strictObject({ key: publicJwkSchema, thumbprint: z.string() }),
  tool: z.strictObject({ name: z.string(), version: z.string() }),
  /** Exhibit ids this record corrects. */
  supersedes: z.array(exhibitIdSchema).max(100).optional(),
  /** How the uploader asked the store to keep the exhibit. What the store made of it, the store alone can say. */
  retention: retentionSchema.optional(),
};
const known = new Set(Object.keys(fields));

/** The signed statement of what an exhibit is. Unknown fields are refused, except those that start with `x-`. */
export const recordSchema = z.looseObject(fields).superRefine((record, context) => {
  for (const key of Object.keys(record)) {
    if (!known.has(key) && !key.startsWith("x-")) {
      context.addIssue({ code: "unrecognized_keys", keys: [key], input: record });
    }
  }
});
export type ExhibitRecord = z.infer<typeof recordSchema>;
