import { z } from "zod";
import { arrivalSchema, ownCaseSchema } from "../evidence/arrival.ts";
import { caseSchema } from "../evidence/case.ts";

/**
 * `GET  /v1/inbox?case=&since=&after=`   page of what has landed, oldest first; without `since` and `after`, what the caller has not looked at
 * `GET  /v1/inbox/events?case=`          server events (WHATWG HTML, "Server-sent events"): `arrival` with its sequence number as id, `beat` every few
 *                                        seconds and at the start, `ended` with a problem's code; begins behind `Last-Event-ID`, which is required, and ends after some minutes,
 *                                        to be asked for again with a token that is still good
 * `POST /v1/inbox/seen`                  the caller has looked up to there -> 204
 * `GET  /v1/inbox/cases`                 the caller's cases
 * `POST /v1/inbox/cases`                 follow a case, or do so no more -> 204
 */
export const inboxPath = "/v1/inbox";
export const inboxEventsPath = `${inboxPath}/events`;
export const inboxSeenPath = `${inboxPath}/seen`;
export const inboxCasesPath = `${inboxPath}/cases`;

export const inboxPageSchema = z.strictObject({
  arrivals: z.array(arrivalSchema),
  upTo: z.number().int().nonnegative(),
  isLast: z.boolean(),
});
export const seenSchema = z.strictObject({ upTo: z.number().int().nonnegative() });
export const followSchema = z.strictObject({ case: caseSchema, follow: z.boolean() });
export const ownCasesSchema = z.strictObject({ cases: z.array(ownCaseSchema) });
export const endedSchema = z.object({ code: z.string() });
