import type { RateLimitOptions } from "@fastify/rate-limit";
import { ExhibitError } from "../evidence/errors.ts";

const hourMs = 3_600_000;

/** What one identity may ask of a route that costs much, or that hands out access, whatever its address. */
function perIdentity(max: number): RateLimitOptions {
  return {
    max,
    timeWindow: hourMs,
    // Behind the sign-in, so that it is known whose request it is.
    hook: "preHandler",
    keyGenerator: (request) => request.caller.id,
    errorResponseBuilder: (_request, { after }) =>
      new ExhibitError("unavailable.rate-limited", "You have asked for this very often by now.", {
        hint: `Go on in ${after}. If that is not enough for your work, tell the server's administrator.`,
      }),
  };
}

export const invitationsLimit = perIdentity(60);
export const sharesLimit = perIdentity(240);
