import type { z } from "zod";
import { ExhibitError } from "../evidence/errors.ts";

/** What `schema` makes of a person's `input`. @throws ExhibitError `usage.invalid`, naming `what` it is and what is wrong */
export function checked<Output>(schema: z.ZodType<Output>, input: unknown, what: string): Output {
  const parsed = schema.safeParse(input);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const where = issue?.path.join(".") ?? "";
  throw new ExhibitError(
    "usage.invalid",
    `${what}${where === "" ? "" : ` (${where})`} ${issue?.message ?? "is not valid"}.`,
  );
}
