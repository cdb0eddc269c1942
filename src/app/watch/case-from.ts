import type { z } from "zod";
import { caseSchema } from "../../evidence/case.ts";
import { ExhibitError } from "../../evidence/errors.ts";
import { referenceOfSegment, referenceSchema } from "../../evidence/reference.ts";
import type { Said } from "../../evidence/ports/upload-queue.ts";

/** What a path says; undefined where it does not fit the pattern. @throws ExhibitError `usage.invalid` for a bad case or reference */
export type SaidByPath = (path: string) => Pick<Said, "case" | "reference"> | undefined;

/**
 * Makes of a pattern such as `{case}/{reference}_*.wav` what reads a path below the watched folder: `{case}` and `{reference}` stand
 * for one or more characters, `*` for any, none of them for a slash; capitals and small letters are the same. A reference in a path
 * has `_` for `/`: `ABC_1`. Of several ways to fit, the one with the longest case counts.
 *
 * @throws ExhibitError `usage.invalid` where it names neither, or one twice, or holds other braces
 */
export function caseFrom(pattern: string): SaidByPath {
  const words = pattern.split(/(\{[^{}]*\}|\*)/);
  const named = words.filter((word) => word.startsWith("{"));
  const unknown = named.find((word) => !["{case}", "{reference}"].includes(word));
  const plain = words.filter((word) => !named.includes(word)).join("");
  if (named.length === 0 || unknown !== undefined || /[{}]/.test(plain)) {
    throw malformed(pattern, unknown ?? "it must name {case} or {reference}, and no other braces");
  }
  if (new Set(named).size < named.length) throw malformed(pattern, "one is there twice");
  const source = words.map((word) =>
    word.startsWith("{")
      ? `(?<${word.slice(1, -1)}>[^/]+)`
      : word === "*"
        ? "[^/]*"
        : word.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"),
  );
  const regex = new RegExp(`^${source.join("")}$`, "iu");
  return (path) => {
    const groups = regex.exec(path)?.groups;
    if (groups === undefined) return undefined;
    const { case: caseText, reference } = groups;
    return {
      ...(caseText === undefined ? {} : { case: right(caseSchema, caseText, "case") }),
      ...(reference === undefined
        ? {}
        : { reference: right(referenceSchema, referenceOfSegment(reference), "reference") }),
    };
  };
}

function right(schema: z.ZodType<string>, text: string, what: string): string {
  const parsed = schema.safeParse(text);
  if (parsed.success) return parsed.data;
  throw new ExhibitError(
    "usage.invalid",
    `The path gives the ${what} "${text}", which ${parsed.error.issues[0]?.message ?? "is not right"}.`,
    { hint: "Rename the file or its folder, or say it in a sidecar." },
  );
}

function malformed(pattern: string, why: string): ExhibitError {
  return new ExhibitError("usage.invalid", `--case-from "${pattern}" means nothing: ${why}.`, {
    hint: 'Write the path below the folder with {case} and {reference} in it: --case-from "{case}/{reference}_*.wav".',
  });
}
