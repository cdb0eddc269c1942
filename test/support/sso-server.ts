import type { Clock } from "../../src/evidence/ports/clock.ts";
import { ProviderKeys } from "../../src/server/sso/provider-keys.ts";
import { parseRoleMap } from "../../src/server/sso/role-map.ts";
import type { Sso } from "../../src/server/sso/sso.ts";
import { groups, scope, type ForceProvider } from "./force-provider.ts";
import { systemClock } from "./server.ts";

export const roleMap = {
  schema: "exhibit.role-map/1",
  rules: [
    { claim: "roles", value: "Exhibit.Admin", role: "admin" },
    { claim: "groups", value: groups.admins, role: "admin" },
    { claim: "groups", value: groups.officers, role: "officer", organisation: "Example Police" },
  ],
};

/** How a server of ours believes that provider. */
export function believing(provider: ForceProvider, clock: Clock = systemClock): Sso {
  const keys = new ProviderKeys(
    provider.issuer,
    async (url) => (await fetch(url, { redirect: "error" })).json(),
    clock,
  );
  return {
    issuer: provider.issuer,
    clientId: provider.clientId,
    audience: provider.clientId,
    scopes: ["openid", "offline_access", scope],
    roleMap: parseRoleMap(JSON.stringify(roleMap), "role-map.json"),
    keys: (header, token) => keys.find(header, token),
  };
}
