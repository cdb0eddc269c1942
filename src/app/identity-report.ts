import type { IdentityReport } from "../evidence/identity.ts";
import { accountsOf } from "./abilities.ts";
import { connected } from "./connected.ts";
import type { Deps } from "./deps.ts";

export interface IdentityReportRequest {
  readonly store?: string;
  /** Who was not seen for this long is dormant. */
  readonly dormantAfterSeconds: number;
}

/** An identity, and since when nobody saw it, where that is long ago. */
export type ReportedIdentity = IdentityReport & { readonly dormantSince?: string };

/** Everyone enrolled at the server, with what an admin asks about them. @throws ExhibitError `policy.role` */
export async function reportIdentities(
  deps: Pick<Deps, "connect" | "clock">,
  request: IdentityReportRequest,
  signal: AbortSignal,
): Promise<{ identities: readonly ReportedIdentity[] }> {
  const identities = await connected(deps, request.store, (connection) =>
    accountsOf(connection).identityReports(signal),
  );
  const longAgo = deps.clock.now().getTime() - request.dormantAfterSeconds * 1000;
  return {
    identities: identities.map((identity) => {
      const seen = identity.lastSeenAt ?? identity.enrolledAt;
      const isDormant = identity.revokedAt === undefined && Date.parse(seen) < longAgo;
      return isDormant ? { ...identity, dormantSince: seen } : identity;
    }),
  };
}
