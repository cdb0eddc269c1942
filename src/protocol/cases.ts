import { z } from "zod";
import { caseExhibitSchema, caseShareSchema } from "../evidence/case-view.ts";

/**
 * `GET /v1/cases/exhibits?case=&after=&limit=`   page of a case's exhibits, by reference
 * `GET /v1/cases/shares?case=&after=&limit=`     page of the caller's shares (an admin's: all) of exhibits in it, oldest first
 *
 * A case may hold a slash and therefore stands behind the question mark.
 */
export const caseExhibitsPath = "/v1/cases/exhibits";
export const caseSharesPath = "/v1/cases/shares";

/** `next` is handed back as `after` for the next page; absent on the last. */
export const caseExhibitPageSchema = z.strictObject({
  exhibits: z.array(caseExhibitSchema),
  next: z.string().optional(),
});
export const caseSharePageSchema = z.strictObject({
  shares: z.array(caseShareSchema),
  next: z.string().optional(),
});
