import { z } from "zod";
import { errorCodes } from "../evidence/errors.ts";
import { exhibitEntrySchema, exhibitsPath, reservationSchema } from "./exhibits.ts";
import { sealedSchema } from "../evidence/seal.ts";

/**
 * Many small exhibits at once; each is answered by itself, in order, with what it asked for or with a problem.
 *
 * `POST /v1/exhibits/reservations`   reserve many -> 200 an entry or a problem for each
 * `POST /v1/bundles`                 a tar stream (`application/x-tar`); `Content-Length` and `Content-Digest` (RFC 9530) required
 *                                    -> 200 entry and receipt, or a problem, for each exhibit in it
 *
 * In the stream an exhibit is two regular files: its content, named by its key, and its signed record, named
 * `<case>/<reference>/record.json`, in any order. An exhibit's place is that of the first of them. The same stream again is
 * answered with the same receipts. Where the stream itself is broken or has another digest, or headers that change the entry
 * after them (pax, GNU's long names), nothing of it is taken.
 */
export const reservationsPath = `${exhibitsPath}/reservations`;
export const bundlesPath = "/v1/bundles";
export const bundleMediaType = "application/x-tar";

/** As many as one request reserves. */
export const mostReservations = 1000;

export const reservationsSchema = z.strictObject({
  reservations: z.array(reservationSchema).min(1).max(mostReservations),
});

const mib = 1024 * 1024;

/** How much one bundle may hold. */
export const bundleLimits = {
  maxExhibits: 500,
  /** Content of all. */
  maxBytes: 8 * mib,
  /** One file. */
  maxFileBytes: mib,
};

/** Signed records in a bundle are small: an exhibit with a longer one is sent by itself. */
export const mostRecordBytes = 64 * 1024;

/** The longest stream: all content and records, with the headers and the padding of two files for each exhibit. */
export const mostBundleBytes =
  bundleLimits.maxBytes + bundleLimits.maxExhibits * (mostRecordBytes + 8 * 1024);

export const bundleLimitsSchema = z.strictObject({
  maxExhibits: z.number().int().positive(),
  maxBytes: z.number().int().positive(),
  maxFileBytes: z.number().int().positive(),
});

/** Why one of many was refused: what would have been the body of the refusal, had it been asked for alone. */
const refusedSchema = z.strictObject({
  problem: z.strictObject({
    code: z.enum(errorCodes),
    title: z.string(),
    hint: z.string().optional(),
    facts: z.record(z.string(), z.union([z.string(), z.number()])).optional(),
  }),
});
export type Refused = z.infer<typeof refusedSchema>;

export const reservedSchema = z.strictObject({
  answers: z.array(z.union([z.strictObject({ entry: exhibitEntrySchema }), refusedSchema])),
});
export type Reserved = z.infer<typeof reservedSchema>;

/** The record is the one that was sent. */
export const bundledSchema = z.strictObject({
  answers: z.array(
    z.union([z.strictObject({ entry: exhibitEntrySchema, receipt: sealedSchema }), refusedSchema]),
  ),
});
export type Bundled = z.infer<typeof bundledSchema>;
