import { z } from "zod";
import { caseSchema } from "../evidence/case.ts";
import { ExhibitError } from "../evidence/errors.ts";
import type { ExhibitPlan } from "../evidence/ports/upload-queue.ts";
import { proofSchema } from "../evidence/proof.ts";
import { recordSchema } from "../evidence/record.ts";
import { initialsSchema, referenceSchema } from "../evidence/reference.ts";
import { retentionSchema } from "../evidence/retention.ts";
import { columnSchema } from "./csv/columns.ts";

const recordFields = recordSchema.shape;

/** Where a list of exhibits has what, and how its times are meant. */
export const rowsAskedSchema = z.strictObject({
  /** Column names of the list, by what we call them; what is not named here has our own name there. */
  columns: z.partialRecord(columnSchema, z.string().min(1)),
  /** Of times without an offset: an IANA name. */
  timeZone: z.string().min(1).max(64),
});
export type RowsAsked = z.infer<typeof rowsAskedSchema>;

/** What a person asks to be uploaded: plain JSON, because the journal keeps it for `resume`. */
export const uploadRequestSchema = z.strictObject({
  store: z.string().min(1).optional(),
  /** Files and folders, absolute. */
  paths: z.array(z.string().min(1)).min(1, "must name a file or folder").readonly(),
  /** Folder, absolute: files are recorded by their paths below it, not by their names alone. */
  base: z.string().min(1).optional(),
  /** Globs of the files that are meant, and of those that are not. */
  include: z.array(z.string().min(1)).readonly().optional(),
  exclude: z.array(z.string().min(1)).readonly().optional(),
  newerThan: z.iso.datetime({ offset: true }).optional(),
  /** The one path is a list in CSV with a row an exhibit. */
  rows: rowsAskedSchema.optional(),
  /** Left out only where rows name theirs. */
  case: caseSchema.optional(),
  /** Wanted reference, for one exhibit only; left out, the store allots one under `initials`. */
  reference: referenceSchema.optional(),
  initials: initialsSchema.optional(),
  title: recordFields.title,
  /** What the submitter's system calls the exhibit, for one exhibit only; by default made from its files' paths, sizes and times. */
  sourceId: recordFields.sourceId.optional(),
  /** All paths together make one exhibit; otherwise each file is one. */
  oneExhibit: z.boolean(),
  producer: recordFields.producer,
  oic: recordFields.oic,
  source: recordFields.source,
  /** RFC 3339 instants. */
  recorded: recordFields.recorded.refine(
    (recorded) =>
      recorded?.from === undefined ||
      recorded.to === undefined ||
      Date.parse(recorded.from) <= Date.parse(recorded.to),
    "must not end before it begins",
  ),
  /** Recorder minus true time. */
  clockOffset: recordFields.clockOffset,
  /** Ids of the exhibits that this one corrects. */
  supersedes: recordFields.supersedes,
  /** How the store shall keep each exhibit, once it is sealed. */
  retention: retentionSchema
    .refine(({ period, legalHold }) => period !== undefined || legalHold, "must ask for something")
    .optional(),
  requireProof: proofSchema,
  /** Parts in flight at once. */
  concurrency: z.number().int().min(1).max(64),
  /** Wanted part size; a store may need larger ones. */
  partBytes: z.number().int().min(1),
  /** Where the receipt goes, for one exhibit only; by default the state folder. Absolute. */
  receiptFile: z.string().min(1).optional(),
});
export type UploadRequest = z.infer<typeof uploadRequestSchema>;

/** What is asked of one exhibit. */
export type ExhibitRequest = UploadRequest & { readonly case: string };

/**
 * What is asked of one exhibit: what its row says, and for the rest what the command says.
 *
 * @throws ExhibitError `usage.missing` where nobody names a case
 */
export function requestOf(request: UploadRequest, { said = {} }: ExhibitPlan): ExhibitRequest {
  const { source } = said;
  const asked = {
    ...request,
    ...said,
    ...(source === undefined ? {} : { source: { ...request.source, ...source } }),
  };
  const caseRef = asked.case;
  if (caseRef === undefined) throw new ExhibitError("usage.missing", "The case is missing.");
  return { ...asked, case: caseRef };
}
