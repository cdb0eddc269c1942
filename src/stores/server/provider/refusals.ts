import { z } from "zod";
import { ExhibitError } from "../../../evidence/errors.ts";
import type { OAuthAnswer } from "../../oauth-fetch.ts";
import { withRetryAfter } from "../../unreachable.ts";

/** What was asked of the provider when it refused. */
export type Asked = "page" | "refresh" | "device" | "revoke";

const oauthErrorSchema = z.object({
  error: z.string().regex(/^[a-z_]{1,60}$/),
  error_description: z.string().catch(""),
});

/** Refusals of a poll that only mean: go on asking (RFC 8628 section 3.5). */
const waiting = ["authorization_pending", "slow_down"];

/**
 * The failure that an answer of the force's provider stands for; undefined for success. Its own sentences are not handed on, since
 * they may hold names; Entra ID's number is.
 */
export function providerFailure(
  answer: OAuthAnswer,
  asked: Asked,
  again: string,
): ExhibitError | undefined {
  const { status, body, headers, url } = answer;
  if (status < 400) return undefined;
  const refused = oauthErrorSchema.safeParse(body);
  if (status >= 500 || status === 408 || status === 429 || !refused.success) {
    const { host } = new URL(url);
    const failure = new ExhibitError(
      "unavailable.sign-in",
      `The force's sign-in service ${host} answered with status ${status}.`,
      { hint: "Try again later; exhibit doctor sso says more.", facts: { status } },
    );
    return withRetryAfter(failure, headers);
  }
  if (waiting.includes(refused.data.error)) return undefined;
  return refusalOf(refused.data.error, refused.data.error_description, asked, again);
}

/** What a refusal means, by its OAuth error and Entra ID's number in its description. */
export function refusalOf(
  error: string,
  description: string,
  asked: Asked,
  again: string,
): ExhibitError {
  const aadsts = /\bAADSTS(\d{4,8})\b/.exec(description)?.[1];
  const facts = { error, ...(aadsts === undefined ? {} : { aadsts: `AADSTS${aadsts}` }) };
  const remedy = aadsts === undefined ? undefined : settingFor(aadsts);
  if (asked === "device" && error !== "expired_token") return deviceRefused(error, remedy, facts);
  if (error === "expired_token" || (error === "invalid_grant" && asked === "page")) {
    return new ExhibitError(
      "auth.sign-in-late",
      "The sign-in took too long, or was used already.",
      {
        hint: `Begin again: ${again}`,
        facts,
      },
    );
  }
  if (error === "invalid_grant" || error === "interaction_required") {
    return new ExhibitError(
      "auth.login-expired",
      "Your sign-in has ended: the force's sign-in service does not renew it.",
      {
        hint: `${remedy ?? "It was not used for long, your password changed, or your access was taken back."} Sign in again: ${again} What has been sent is kept; the same command then goes on.`,
        facts,
      },
    );
  }
  if (error === "access_denied" || error === "consent_required") {
    return new ExhibitError(
      "auth.sign-in-denied",
      "The force's sign-in service did not let you in.",
      {
        hint: `${remedy ?? "Ask your administrator whether you may use this application."} Then: ${again}`,
        facts,
      },
    );
  }
  return new ExhibitError(
    "auth.app-refused",
    `The force's sign-in service refused this application (${aadsts === undefined ? error : `AADSTS${aadsts}`}).`,
    {
      hint: `${remedy ?? "The administrator should check the application's settings: exhibit doctor sso."} Then: ${again}`,
      facts,
    },
  );
}

function deviceRefused(
  error: string,
  remedy: string | undefined,
  facts: Readonly<Record<string, string>>,
): ExhibitError {
  const isPersonal = error === "access_denied" && facts["aadsts"] === undefined;
  return new ExhibitError(
    isPersonal ? "auth.sign-in-denied" : "policy.device-flow-blocked",
    isPersonal
      ? "The sign-in with a code was refused, by the person or by a rule of the force."
      : "This force does not allow signing in with a code on another device.",
    {
      hint: `Sign in with the browser of this computer: exhibit login without --device. ${remedy ?? ""}`.trim(),
      facts,
    },
  );
}

/** What to set for one of Entra ID's numbers; undefined where that is not known here. */
export function settingFor(number: string): string | undefined {
  return settings[number];
}

/** What an administrator sets in Entra ID for each of its numbers, where one is known. */
const settings: Readonly<Record<string, string>> = {
  "50011":
    'Entra ID, App registrations > the application > Authentication: add the platform "Mobile and desktop applications" with the redirect URI http://localhost.',
  "500113":
    'Entra ID, App registrations > the application > Authentication: add the platform "Mobile and desktop applications" with the redirect URI http://localhost.',
  "7000218":
    'Entra ID, App registrations > the application > Authentication > Advanced settings: "Allow public client flows" must be Yes (manifest: "allowPublicClient": true).',
  "700016":
    "The client id is not known in this tenant: compare --oidc-client-id with App registrations > the application > Overview.",
  "90009":
    "Ask for the scope by the application's GUID: exhibit serve --oidc-scope CLIENT_ID/.default.",
  "65001":
    "Entra ID, App registrations > the application > API permissions: grant admin consent for the tenant.",
  "65004": "You did not consent on the page.",
  "50105":
    'Entra ID, Enterprise applications > the application > Users and groups: assign the officers, or set "Assignment required" to No.',
  "50057": "Your account is disabled.",
  "50076": "A second factor is needed: sign in with the browser.",
  "50173": "Your password changed since.",
  "700082": "It was not used for 90 days.",
  "50199": "Conditional Access wants to see the person at this computer.",
  "53000": "Conditional Access wants a computer that the force manages.",
  "53003":
    'Conditional Access blocks it (Entra ID, Protection > Conditional Access > Policies > Conditions > Authentication flows: "Device code flow").',
  "530003": "Conditional Access wants a computer that the force manages.",
  "530036":
    'Conditional Access blocks it (Entra ID, Protection > Conditional Access > Policies > Conditions > Authentication flows: "Device code flow").',
};
