import { z } from "zod";

const maxLength = 64;

/**
 * A case: a URN, crime or CAD reference as the force writes it, in capitals. Letters, digits and
 * `/ . - _ : # ( ) &` and inner spaces; at most 64 characters; no `..` and no leading dot, so
 * that it can stand in a path.
 */
export const caseSchema = z
  .string()
  .transform((text) => text.normalize("NFC").trim().replace(/\s+/g, " ").toUpperCase())
  .pipe(
    z
      .string()
      .min(1, "must not be empty")
      .max(maxLength, `must have at most ${maxLength} characters`)
      .regex(
        /^[A-Z0-9][A-Z0-9 /._:#()&-]*$/,
        "must start with a letter or digit and may hold letters, digits, spaces and / . - _ : # ( ) &",
      )
      .refine((text) => !text.includes(".."), "must not contain two dots in a row")
      .refine((text) => !/[ .]$/.test(text), "must not end with a space or a dot"),
  );

/** Encodes a case as one path segment: `/` becomes `_`, anything not plain becomes `~` and two hex digits. */
export function caseSegment(caseRef: string): string {
  return caseRef
    .replace(/[^A-Z0-9./-]/g, (character) => {
      const hex = character.charCodeAt(0).toString(16).toUpperCase();
      return `~${hex.padStart(2, "0")}`;
    })
    .replaceAll("/", "_");
}

/** Undoes {@link caseSegment}. */
export function caseOfSegment(segment: string): string {
  return segment
    .replaceAll("_", "/")
    .replace(/~([0-9A-F]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
}

/** The case of synthetic material. No evidence can be in it: {@link caseSchema} takes no name that begins so. */
export const smokeCase = "~SMOKE";

/** A case as documents and keys may hold it: evidence's, or that of synthetic material. Never for what a person may type. */
export const heldCaseSchema = z.union([z.literal(smokeCase), caseSchema]);
