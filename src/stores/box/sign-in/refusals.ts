import { z } from "zod";
import { ExhibitError } from "../../../evidence/errors.ts";
import type { SignInPlace } from "../../../evidence/ports/sign-in.ts";
import type { OAuthAnswer } from "../../oauth-fetch.ts";
import { withRetryAfter } from "../../unreachable.ts";
import { loginCommand, type BoxLogin } from "./kept-login.ts";

/** What was asked of Box when it refused. */
export type Asked = BoxLogin["by"] | "refresh" | "revoke";

const oauthErrorSchema = z.object({
  error: z.string().regex(/^[a-z_]{1,60}$/),
  error_description: z.string().catch(""),
});

/**
 * The failure that an answer of Box's token endpoint stands for; undefined for success. Box's own sentences are not handed on,
 * since nobody knows what may stand in them.
 */
export function oauthFailure(
  answer: OAuthAnswer,
  asked: Asked,
  place: SignInPlace,
  now: Date,
): ExhibitError | undefined {
  const { status, body, headers } = answer;
  if (status < 400) {
    if (asked === "revoke" || isToken(body)) return undefined;
    return noSense(answer);
  }
  const refused = oauthErrorSchema.safeParse(body);
  if (status >= 500 || status === 408 || status === 429 || !refused.success) {
    return withRetryAfter(trouble(answer), headers);
  }
  const { error, error_description: description } = refused.data;
  if (error === "invalid_client") {
    return appRefused(
      "Box does not know this application's client id, or its secret is another one.",
      `Check both in Box's developer console, then: ${loginCommand(place)}`,
    );
  }
  if (error === "invalid_grant") return grantRefused(asked, description, place, answer, now);
  if (error === "unauthorized_client") return notApproved(place);
  return appRefused(
    `Box refused the sign-in (${error}).`,
    `Check the application's settings in Box's developer console, then: ${loginCommand(place)}`,
  );
}

function grantRefused(
  asked: Asked,
  description: string,
  place: SignInPlace,
  { headers }: OAuthAnswer,
  now: Date,
): ExhibitError {
  if (asked === "page") {
    return new ExhibitError("auth.sign-in-late", "What Box's page gave is not good any more.", {
      hint: `It lives for 30 seconds. Sign in again: ${loginCommand(place)}`,
    });
  }
  if (asked === "refresh" || asked === "revoke") {
    return new ExhibitError("auth.login-expired", `The login to ${place.name} has ended.`, {
      hint: `It was not used for 60 days, or was taken back. Log in again: ${loginCommand(place)}`,
    });
  }
  const theirNow = Date.parse(headers.date ?? "");
  if (asked === "key" && /\b(?:exp|iat|nbf)\b/.test(description) && !Number.isNaN(theirNow)) {
    const offsetSeconds = Math.round((now.getTime() - theirNow) / 1000);
    return new ExhibitError("auth.clock-wrong", "This computer's clock is not Box's.", {
      hint: "Set this computer's date and time, and try again.",
      facts: { offsetSeconds },
    });
  }
  return notApproved(place);
}

function notApproved(place: SignInPlace): ExhibitError {
  return appRefused(
    "Box does not let this application in: the administrator has not approved it, or the enterprise, user or key named is not one of its own.",
    `Have it approved in Box's Admin Console (Integrations, Platform Apps Manager) and check the ids, then: ${loginCommand(place)}`,
  );
}

function appRefused(message: string, hint: string): ExhibitError {
  return new ExhibitError("auth.app-refused", message, { hint });
}

/** What an answer that is no refusal stands for: Box, or what lies before it, is in trouble. */
export function trouble(answer: OAuthAnswer): ExhibitError {
  const { status, url } = answer;
  const { host } = new URL(url);
  if (status === 429 || status === 503) {
    const code = status === 429 ? "unavailable.rate-limited" : "unavailable.busy";
    return new ExhibitError(code, `${host} answered that it is busy (status ${status}).`, {
      hint: "Try again later.",
      facts: { status },
    });
  }
  if (status < 500 && status !== 408) return noSense(answer);
  return new ExhibitError("unavailable.store", `${host} answered with status ${status}.`, {
    hint: "Box, or a proxy before it, is in trouble. Try again later.",
    facts: { status },
  });
}

/** The failure for an answer that Box would not give. */
export function noSense({ status, url }: Pick<OAuthAnswer, "status" | "url">): ExhibitError {
  const { host } = new URL(url);
  return new ExhibitError("unavailable.store", `${host} gave an answer that makes no sense here.`, {
    hint: "Check the hosts in the store's address, and the settings of your proxy.",
    facts: { status },
  });
}

function isToken(body: unknown): boolean {
  return z.object({ access_token: z.string().min(1) }).safeParse(body).success;
}
