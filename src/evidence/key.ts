import { z } from "zod";
import { caseOfSegment, caseSegment, heldCaseSchema } from "./case.ts";
import { referenceOfSegment, referenceSchema, referenceSegment } from "./reference.ts";

/** The name under which an exhibit's signed record lies; written last, it is the commit point. */
export const recordName = "record.json";
/** The name under which an exhibit's signed receipt lies, beside its record. */
export const receiptName = "receipt.json";
/** The name under which an exhibit's custody log lies, one JSON line an event. */
export const custodyName = "custody.jsonl";

/** The name that allots a reference in a store without a server; written first, without overwriting. */
export const reservationName = "reservation.json";

/**
 * A key: three segments, `<case>/<reference>/<name>`. Nothing in it comes from a file's own name
 * but its extension, because recorders put callers' numbers into file names.
 */
export const keySchema = z
  .string()
  .max(200)
  .regex(
    /^[A-Z0-9~][A-Z0-9.~_-]{0,159}\/[A-Z0-9_]{3,40}\/(?:[A-Z0-9_]{3,40}-[0-9]{4,8}(?:\.[a-z0-9]{1,10})?|reservation\.json|record\.json|receipt\.json|custody\.jsonl)$/,
    "is not a key of this product",
  )
  .refine((key) => !key.includes(".."), "is not a key of this product");

export interface KeyParts {
  readonly case: string;
  readonly reference: string;
  readonly name: string;
}

/** The folder of an exhibit in a store, without a slash at its end. */
export function exhibitPrefix(caseRef: string, reference: string): string {
  return `${caseSegment(caseRef)}/${referenceSegment(reference)}`;
}

/**
 * The key of an exhibit's `ordinal`-th file (from 1); `originalName` gives only its extension, and that only where it
 * has at most five characters and a letter among them: `call.0207946000` ends in a telephone number.
 */
export function contentKey(
  caseRef: string,
  reference: string,
  ordinal: number,
  originalName: string,
): string {
  const segment = referenceSegment(reference);
  const [, extension] = /\.(?=[0-9]*[a-z])([a-z0-9]{1,5})$/i.exec(originalName) ?? [];
  const name = `${segment}-${String(ordinal).padStart(4, "0")}`;
  return `${caseSegment(caseRef)}/${segment}/${name}${extension === undefined ? "" : `.${extension.toLowerCase()}`}`;
}

/** Reads a key back into case, reference and name, or undefined when it is not one of ours. */
export function parseKey(key: string): KeyParts | undefined {
  if (!keySchema.safeParse(key).success) return undefined;
  const [caseText = "", referenceText = "", name = ""] = key.split("/");
  const caseRef = heldCaseSchema.safeParse(caseOfSegment(caseText));
  const reference = referenceSchema.safeParse(referenceOfSegment(referenceText));
  if (!caseRef.success || !reference.success) return undefined;
  const own = exhibitPrefix(caseRef.data, reference.data);
  if (own !== `${caseText}/${referenceText}`) return undefined;
  return { case: caseRef.data, reference: reference.data, name };
}
