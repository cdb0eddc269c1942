import path from "node:path";
import { z } from "zod";
import { ExhibitError } from "../evidence/errors.ts";
import { serverAddress } from "../evidence/web-address.ts";
import type { ServeRequest } from "./context.ts";

const word = z.string().regex(/^[\x21-\x7e]{1,200}$/, "must be without blanks");

/** The options of `exhibit serve` about the force's identity provider. */
export const providerOptions = {
  oidcIssuer: word.optional(),
  oidcClientId: word.optional(),
  oidcAudience: word.optional(),
  oidcScope: z.array(word).optional(),
  roleMap: z.string().min(1, "must not be empty").optional(),
  caFile: z.string().min(1, "must not be empty").optional(),
};
type Given = z.infer<z.ZodObject<typeof providerOptions>>;

const always = ["openid", "offline_access"] as const;

/** The provider that these options name; undefined where none does. @throws ExhibitError `usage.*`, `policy.insecure-address` */
export function providerGiven(given: Given): ServeRequest["provider"] {
  const { oidcIssuer, oidcClientId, oidcAudience, oidcScope, roleMap } = given;
  const needed = {
    "--oidc-issuer": oidcIssuer,
    "--oidc-client-id": oidcClientId,
    "--role-map": roleMap,
  };
  if (Object.values({ ...needed, oidcAudience, oidcScope }).every((one) => one === undefined)) {
    return undefined;
  }
  if (oidcIssuer === undefined || oidcClientId === undefined || roleMap === undefined) {
    const [flag = ""] = Object.entries(needed).find(([, value]) => value === undefined) ?? [];
    throw new ExhibitError("usage.missing", `${flag} is missing.`, {
      hint: "Issuer, client id and role map go together. See docs/sso.md.",
    });
  }
  assertOneTenant(oidcIssuer);
  const audience = oidcAudience ?? oidcClientId;
  return {
    issuer: oidcIssuer,
    clientId: oidcClientId,
    audience,
    scopes: [...always, ...(oidcScope ?? usualScopes(oidcIssuer, audience))],
    roleMapFile: path.resolve(roleMap),
  };
}

/** Without a scope of the application's own, Entra ID gives an access token for Microsoft's services, which is of no use here. */
function usualScopes(issuer: string, audience: string): readonly string[] {
  return isEntra(issuer) ? [`${audience}/.default`] : [];
}

function assertOneTenant(issuer: string): void {
  // Kept letter by letter: tokens are compared with it. Only its form is checked here.
  serverAddress(issuer);
  const [, tenant = ""] = new URL(issuer).pathname.split("/");
  if (isEntra(issuer) && !/^[0-9a-f-]{36}$/i.test(tenant)) {
    throw new ExhibitError(
      "usage.invalid",
      "--oidc-issuer must name your own tenant by its id, not many tenants.",
      {
        hint: "It is https://login.microsoftonline.com/TENANT_ID/v2.0, with the id from Entra ID's overview page.",
      },
    );
  }
}

function isEntra(issuer: string): boolean {
  return /^login\.microsoftonline\.(?:com|us)$/.test(new URL(issuer).hostname);
}
