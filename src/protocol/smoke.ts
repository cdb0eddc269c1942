import { z } from "zod";
import { mostSmokeBytes } from "../evidence/smoke.ts";

/**
 * `POST   /v1/smoke`       begin an exhibit of synthetic material -> 201 entry; from then on it is filled, sealed, read and shared by the usual routes
 * `DELETE /v1/smoke/:id`   erase it, with its shares -> 204, also when it was erased before; 403 for anything that is not synthetic
 *
 * It is in no case and in no list, and is erased after a day if nobody does.
 */
export const smokePath = "/v1/smoke";

export const beginSmokeSchema = z.strictObject({
  totalBytes: z.number().int().positive().max(mostSmokeBytes),
});
