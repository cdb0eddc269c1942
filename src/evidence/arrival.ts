import { z } from "zod";
import { exhibitIdSchema } from "./address.ts";
import { referenceSchema } from "./reference.ts";

/** An exhibit that has landed: sealed, with all its files. */
export const arrivalSchema = z.strictObject({
  /** Its place in the order in which exhibits landed at this server; a later one has a higher number. */
  seq: z.number().int().positive(),
  id: exhibitIdSchema,
  case: z.string(),
  reference: referenceSchema,
  title: z.string().optional(),
  /** Who sent it: the id of an identity and its organisation. */
  from: z.strictObject({ id: z.string(), organisation: z.string().optional() }),
  sealedAt: z.iso.datetime(),
  files: z.number().int().nonnegative(),
  sizeBytes: z.number().int().nonnegative(),
});
export type Arrival = z.infer<typeof arrivalSchema>;

/** A case of somebody's, and why it is: followed by name, or because they have sent or shared something in it. */
export const ownCaseSchema = z.strictObject({ case: z.string(), followed: z.boolean() });
export type OwnCase = z.infer<typeof ownCaseSchema>;
