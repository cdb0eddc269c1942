import type { IdentityReport } from "../../evidence/identity.ts";
import type { ServerDeps } from "../deps.ts";
import { identityOfRow } from "./identities.ts";

/** Everyone who is or was enrolled, in that order, with their machines and what they still share. */
export async function reportIdentities({
  database,
  clock,
}: Pick<ServerDeps, "database" | "clock">): Promise<IdentityReport[]> {
  const rows = await database
    .selectFrom("identities")
    .selectAll()
    .orderBy("enrolled_at")
    .orderBy("id")
    .execute();
  const machines = await database
    .selectFrom("identity_keys")
    .select(({ fn }) => ["identity_id", fn.countAll<number>().as("count")])
    .where("revoked_at", "is", null)
    .groupBy("identity_id")
    .execute();
  const shares = await database
    .selectFrom("shares")
    .select(({ fn }) => ["created_by", fn.countAll<number>().as("count")])
    .where("revoked_at", "is", null)
    .where("expires_at", ">", clock.now().toISOString())
    .groupBy("created_by")
    .execute();
  const machinesOf = new Map(machines.map(({ identity_id, count }) => [identity_id, count]));
  const sharesOf = new Map(shares.map(({ created_by, count }) => [created_by, count]));
  return rows.map((row) => ({
    ...identityOfRow(row),
    ...(row.last_seen_at === null ? {} : { lastSeenAt: row.last_seen_at }),
    ...(row.provider_subject === null ? {} : { providerSubject: row.provider_subject }),
    machines: machinesOf.get(row.id) ?? (row.key_jwk === null ? 0 : 1),
    openShares: sharesOf.get(row.id) ?? 0,
  }));
}
