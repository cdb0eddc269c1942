import type { Kysely } from "kysely";
import { sha256Of } from "../../evidence/digest.ts";
import { ExhibitError } from "../../evidence/errors.ts";
import type { Invitation } from "../../evidence/identity.ts";
import { newInvitationCode, parseInvitationCode } from "../../evidence/invitation-code.ts";
import type { InvitationRequest } from "../../evidence/ports/accounts.ts";
import { randomId } from "../../evidence/random-id.ts";
import type { InvitationRow } from "../database/account-tables.ts";
import type { Tables } from "../database/tables.ts";
import type { ServerDeps } from "../deps.ts";

type InvitationDeps = Pick<ServerDeps, "clock" | "database" | "key" | "settings">;

const firstInvitationSeconds = 14 * 86_400;

/** Makes an invitation. The code is returned this once; the database keeps only the SHA-256 of its secret. */
export async function makeInvitation(
  deps: InvitationDeps,
  request: InvitationRequest,
  createdBy: string | null,
): Promise<{ invitation: Invitation; code: string }> {
  const now = deps.clock.now();
  const code = newInvitationCode(deps.key.thumbprint);
  const row: InvitationRow = {
    id: randomId("n", 12),
    secret_sha256: sha256Of(parseInvitationCode(code).secret),
    role: request.role,
    organisation: request.organisation,
    quota_bytes: request.quotaBytes ?? null,
    created_at: now.toISOString(),
    created_by: createdBy,
    expires_at: new Date(now.getTime() + request.expiresInSeconds * 1000).toISOString(),
    used_at: null,
    revoked_at: null,
  };
  await deps.database.insertInto("invitations").values(row).execute();
  return { invitation: invitationOfRow(row, now), code };
}

/**
 * The code of a server's first admin invitation, for its operator: undefined when an admin is enrolled, or when the
 * operator's invitation is still open (its code was shown when it was made).
 */
export async function createFirstInvitation(deps: InvitationDeps): Promise<string | undefined> {
  const admin = await deps.database
    .selectFrom("identities")
    .select("id")
    .where("role", "=", "admin")
    .where("enrolled_by", "!=", "provider")
    .where("revoked_at", "is", null)
    .executeTakeFirst();
  if (admin !== undefined) return undefined;
  const open = await deps.database
    .selectFrom("invitations")
    .select("id")
    .where("created_by", "is", null)
    .where("used_at", "is", null)
    .where("revoked_at", "is", null)
    .where("expires_at", ">", deps.clock.now().toISOString())
    .executeTakeFirst();
  return open === undefined ? createAdminInvitation(deps) : undefined;
}

/**
 * The code of a new admin invitation for the server's operator, who has lost the first one or the last admin. Takes
 * back those of the operator's that are still open. Whoever can run this holds the server's folder.
 */
export async function createAdminInvitation(deps: InvitationDeps): Promise<string> {
  await deps.database
    .updateTable("invitations")
    .set({ revoked_at: deps.clock.now().toISOString() })
    .where("created_by", "is", null)
    .where("used_at", "is", null)
    .where("revoked_at", "is", null)
    .execute();
  const request: InvitationRequest = {
    role: "admin",
    organisation: deps.settings.organisation,
    expiresInSeconds: firstInvitationSeconds,
    quotaBytes: undefined,
  };
  return (await makeInvitation(deps, request, null)).code;
}

/** All invitations, newest first. */
export async function listInvitations(deps: InvitationDeps): Promise<Invitation[]> {
  const rows = await deps.database
    .selectFrom("invitations")
    .selectAll()
    .orderBy("created_at", "desc")
    .orderBy("id")
    .execute();
  const now = deps.clock.now();
  return rows.map((row) => invitationOfRow(row, now));
}

/**
 * Takes an invitation back; repeating it succeeds.
 *
 * @throws ExhibitError `not-found.invitation`; `usage.invalid` when someone has enrolled with it
 */
export async function revokeInvitation(deps: InvitationDeps, id: string): Promise<void> {
  const revoked = await deps.database
    .updateTable("invitations")
    .set({ revoked_at: deps.clock.now().toISOString() })
    .where("id", "=", id)
    .where("used_at", "is", null)
    .where("revoked_at", "is", null)
    .executeTakeFirst();
  if (revoked.numUpdatedRows > 0n) return;
  const row = await deps.database
    .selectFrom("invitations")
    .select("used_at")
    .where("id", "=", id)
    .executeTakeFirst();
  if (row === undefined) {
    throw new ExhibitError("not-found.invitation", `There is no invitation ${id}.`, {
      hint: "List them with exhibit invite list.",
    });
  }
  if (row.used_at === null) return;
  throw new ExhibitError("usage.invalid", "Someone has enrolled with this invitation already.", {
    hint: "To take their access back, use exhibit identity revoke.",
  });
}

/** The invitation that a code's secret belongs to. @throws ExhibitError `auth.invitation-unknown` */
export async function findInvitationBySecret(
  database: Kysely<Tables>,
  secret: string,
): Promise<InvitationRow> {
  const row = await database
    .selectFrom("invitations")
    .selectAll()
    .where("secret_sha256", "=", sha256Of(secret))
    .executeTakeFirst();
  if (row !== undefined) return row;
  throw new ExhibitError("auth.invitation-unknown", "This server does not know this invitation.", {
    hint: "Check that the address is that of the server which the invitation is for.",
  });
}

/** Refuses an invitation that can no longer be used. @throws ExhibitError `auth.invitation-used`, `-expired`, `-revoked` */
export function requireOpen(row: InvitationRow, now: Date): void {
  const state = stateOf(row, now);
  if (state === "open") return;
  const refusals = {
    used: ["auth.invitation-used", "This invitation was used already; it works once."],
    revoked: ["auth.invitation-revoked", "This invitation was taken back."],
    expired: ["auth.invitation-expired", `This invitation ended on ${row.expires_at}.`],
  } as const;
  const [code, message] = refusals[state];
  throw new ExhibitError(code, message, { hint: "Ask whoever invited you for a new invitation." });
}

function stateOf(row: InvitationRow, now: Date): Invitation["state"] {
  if (row.used_at !== null) return "used";
  if (row.revoked_at !== null) return "revoked";
  return row.expires_at <= now.toISOString() ? "expired" : "open";
}

function invitationOfRow(row: InvitationRow, now: Date): Invitation {
  return {
    id: row.id,
    role: row.role,
    organisation: row.organisation,
    createdAt: row.created_at,
    expiresAt: row.expires_at,
    ...(row.quota_bytes === null ? {} : { quotaBytes: row.quota_bytes }),
    state: stateOf(row, now),
  };
}
