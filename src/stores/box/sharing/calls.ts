import { z } from "zod";
import type { BoxAnswer, BoxApi, BoxCall } from "../api.ts";

/** A change that was asked of Box, and what came of it. Paths hold ids only. */
export const callSchema = z.strictObject({
  method: z.string(),
  path: z.string(),
  status: z.number().int(),
  requestId: z.string().optional(),
});
export type CallTold = z.infer<typeof callSchema>;

const errorSchema = z.object({ request_id: z.string() });
/** The log is for people: what happened a thousand times is told no better by a thousand lines. */
const mostCalls = 1000;

/** Speaks to Box and remembers the changes that were asked for, with the numbers under which Box's support finds them. */
export class Calls {
  readonly api: BoxApi;
  readonly #told: CallTold[] = [];

  constructor(api: BoxApi) {
    this.api = api;
  }

  async ask(call: BoxCall, signal: AbortSignal): Promise<BoxAnswer> {
    const answer = await this.api.ask(call, signal);
    if (call.method !== "GET" && this.#told.length < mostCalls) {
      const requestId =
        errorSchema.safeParse(answer.body).data?.request_id ?? answer.headers["box-request-id"];
      this.#told.push({
        method: call.method,
        path: new URL(call.to, this.api.address.api).pathname,
        status: answer.status,
        ...(requestId === undefined ? {} : { requestId }),
      });
    }
    return answer;
  }

  /** What was told so far, once. */
  taken(): CallTold[] {
    return this.#told.splice(0);
  }
}
