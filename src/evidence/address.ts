import { z } from "zod";
import { caseSchema } from "./case.ts";
import { ExhibitError } from "./errors.ts";
import { referenceSchema } from "./reference.ts";

/** An exhibit's own id: `x` and 26 characters, unique everywhere, telling nothing. */
export const exhibitIdSchema = z.string().regex(/^x[0-9a-hjkmnp-tv-z]{26}$/);

/** How a person names an exhibit: `CASE:ABC/1`, its id, or a bare `ABC/1` where that is unique. */
export type ExhibitAddress =
  | { readonly kind: "id"; readonly id: string }
  | { readonly kind: "reference"; readonly case: string | undefined; readonly reference: string };

/** Reads an exhibit's address. @throws ExhibitError `usage.invalid` */
export function parseAddress(text: string): ExhibitAddress {
  if (exhibitIdSchema.safeParse(text).success) return { kind: "id", id: text };
  const colon = text.lastIndexOf(":");
  const reference = referenceSchema.safeParse(text.slice(colon + 1));
  const caseRef = colon < 0 ? undefined : caseSchema.safeParse(text.slice(0, colon));
  if (!reference.success || caseRef?.success === false) {
    throw new ExhibitError("usage.invalid", `"${text}" does not name an exhibit.`, {
      hint: "Write CASE:ABC/1, for example 01AB1234526:ABC/1, or the exhibit's id.",
    });
  }
  return { kind: "reference", case: caseRef?.data, reference: reference.data };
}

/** How an exhibit is named in messages: `CASE:ABC/1`. */
export function formatAddress(exhibit: { case: string; reference: string }): string {
  return `${exhibit.case}:${exhibit.reference}`;
}
