import { z } from "zod";

/**
 * An exhibit reference: the producer's initials and a serial (`ABC/1`), with sub-exhibits behind it
 * (`ABC/1/A`). Capitals and digits between slashes; two to six levels; at most 40 characters.
 */
export const referenceSchema = z
  .string()
  .transform((text) => text.trim().toUpperCase())
  .pipe(
    z
      .string()
      .max(40, "must have at most 40 characters")
      .regex(
        /^[A-Z]{1,8}\/[0-9]{1,6}(?:\/[A-Z0-9]{1,6}){0,4}$/,
        "must look like ABC/1 or ABC/1/A: initials, a serial number, and sub-exhibits after it",
      ),
  );

/** The initials a reference is allotted under, e.g. of `ABC/1`: `ABC`. */
export const initialsSchema = z
  .string()
  .transform((text) => text.trim().toUpperCase())
  .pipe(z.string().regex(/^[A-Z]{1,8}$/, "must be one to eight letters"));

/** Encodes a reference as one path segment (`ABC_1_A`). Reversible: a reference never holds `_`. */
export function referenceSegment(reference: string): string {
  return reference.replaceAll("/", "_");
}

/** Undoes {@link referenceSegment}. */
export function referenceOfSegment(segment: string): string {
  return segment.replaceAll("_", "/");
}
