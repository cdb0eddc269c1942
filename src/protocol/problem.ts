import { z } from "zod";
import { errorCodes } from "../evidence/errors.ts";

/** The body of every refusal (`application/problem+json`, RFC 9457 with our `code`, `hint` and `facts`). */
export const problemSchema = z.object({
  title: z.string(),
  status: z.number().int(),
  code: z.enum(errorCodes),
  hint: z.string().optional(),
  facts: z.record(z.string(), z.union([z.string(), z.number()])).optional(),
  requestId: z.string().optional(),
});
export type Problem = z.infer<typeof problemSchema>;

export const problemMediaType = "application/problem+json";
