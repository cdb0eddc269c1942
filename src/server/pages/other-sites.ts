import type { FastifyReply, FastifyRequest } from "fastify";
import { ExhibitError } from "../../evidence/errors.ts";

/**
 * Refuses a form that another site sends here, a sister of ours under the force's own domain among them, which `SameSite`
 * lets through. Browsers say where a form comes from (W3C, "Fetch Metadata Request Headers"); old ones say nothing, and
 * have the cookie's `SameSite=Strict` alone.
 */
export function refuseOtherSites(
  { method, headers }: FastifyRequest,
  _reply: FastifyReply,
  done: (error?: Error) => void,
): void {
  const from = headers["sec-fetch-site"] ?? "none";
  if (method !== "POST" || from === "same-origin" || from === "none") done();
  else done(new ExhibitError("policy.not-permitted", "This was not sent from the page itself."));
}
