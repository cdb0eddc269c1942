import { z } from "zod";
import { digestSchema } from "../../evidence/digest.ts";

export const backupType = "exhibit.backup/1";
/** The first entry of a backup. */
export const manifestName = "manifest.json";

/** What a backup may hold beside its manifest, in this order. */
export const backupFileNames = [
  "server-key.json",
  "content-place.json",
  "last-start.json",
  "exhibit.sqlite",
] as const;

/** What the database held when it was copied. */
export const databaseFactsSchema = z.strictObject({
  /** The last migration that it has had: the version of its schema. */
  migration: z.string(),
  exhibits: z.number().int().nonnegative(),
  sealed: z.number().int().nonnegative(),
  identities: z.number().int().nonnegative(),
  shares: z.number().int().nonnegative(),
  /** The exhibit that was sealed last. */
  newest: z
    .strictObject({
      id: z.string(),
      case: z.string(),
      reference: z.string(),
      sealedAt: z.iso.datetime(),
    })
    .optional(),
});
export type DatabaseFacts = z.infer<typeof databaseFactsSchema>;

/** What a backup says of itself. */
export const manifestSchema = z.strictObject({
  schema: z.literal(backupType),
  madeAt: z.iso.datetime(),
  tool: z.strictObject({ name: z.string(), version: z.string() }),
  server: z.strictObject({
    thumbprint: z.string(),
    /** As the server was started the last time, where that is known. */
    publicUrl: z.url().optional(),
    organisation: z.string().optional(),
  }),
  /** Where the content lies, which is not in the backup: a bucket's address, or `folder` for `content/` of the data folder. */
  content: z.string(),
  database: databaseFactsSchema,
  files: z
    .array(
      z.strictObject({
        name: z.enum(backupFileNames),
        sizeBytes: z.number().int().nonnegative(),
        digest: digestSchema,
      }),
    )
    .max(backupFileNames.length),
});
export type BackupManifest = z.infer<typeof manifestSchema>;
