import { decodeJwt } from "jose";
import { errors, type KoaContextWithOIDC } from "./oidc.ts";
import { ExhibitError } from "../../evidence/errors.ts";
import { statusOf } from "../problems.ts";

/** How far an assertion's times may lie from this server's clock, either way, in seconds. */
export const assertionToleranceSeconds = 60;

/** Carries a refusal of ours through oidc-provider. */
export class OauthRefusal extends errors.CustomOIDCProviderError {
  readonly refusal: ExhibitError;

  constructor(oauthError: "invalid_token" | "invalid_client", refusal: ExhibitError) {
    super(oauthError, refusal.message);
    this.refusal = refusal;
    this.status = statusOf(refusal.code);
    this.statusCode = this.status;
  }
}

/**
 * Adds the members of our problem document to an OAuth error, so that a client can tell a used invitation
 * from an expired one, a revoked identity from an unknown one, and a wrong clock from a wrong key.
 */
export function explain(ctx: KoaContextWithOIDC, error: Error): void {
  const refusal = error instanceof OauthRefusal ? error.refusal : clockRefusal(ctx, error);
  if (refusal === undefined || typeof ctx.body !== "object" || ctx.body === null) return;
  ctx.body = {
    ...ctx.body,
    error_description: refusal.message,
    code: refusal.code,
    title: refusal.message,
    status: ctx.status,
    ...(refusal.hint === undefined ? {} : { hint: refusal.hint }),
    facts: refusal.facts,
  };
}

function clockRefusal(ctx: KoaContextWithOIDC, error: Error): ExhibitError | undefined {
  const assertion = ctx.oidc.params?.["client_assertion"];
  if (!(error instanceof errors.InvalidClientAuth) || typeof assertion !== "string") {
    return undefined;
  }
  const offset = assertionOffsetSeconds(assertion);
  return Math.abs(offset) <= assertionToleranceSeconds ? undefined : wrongClock(offset);
}

/** The refusal of a client whose clock is `offset` seconds ahead of ours (negative: behind). */
export function wrongClock(offset: number): ExhibitError {
  const way = offset > 0 ? "ahead of" : "behind";
  return new ExhibitError(
    "auth.clock-wrong",
    `Your clock is ${Math.abs(offset)} seconds ${way} this server's.`,
    { hint: "Set this computer's clock and try again.", facts: { offsetSeconds: offset } },
  );
}

/** How far the clock of an assertion's maker is ahead of ours, in whole seconds, by its `iat`. */
function assertionOffsetSeconds(assertion: string): number {
  try {
    const now = Math.floor(Date.now() / 1000);
    return (decodeJwt(assertion).iat ?? now) - now;
  } catch {
    return 0;
  }
}
