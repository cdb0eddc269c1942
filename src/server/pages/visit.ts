import type { FastifyRequest } from "fastify";
import { sha256Of } from "../../evidence/digest.ts";
import type { Visitor } from "../shares/access-log.ts";
import type { ShareSessionRow } from "../database/share-tables.ts";
import type { ShareDesk } from "../shares/share-desk.ts";
import { endOf, shareOfToken, type EndReason, type StoredShare } from "../shares/share-rows.ts";

/** The cookie of a viewing session. Each share has its own, because its path is the link's. */
export const sessionCookie = "exhibit_view";

/** A viewing session ends with its share, or after this. The code starts another. */
export const longestSessionMs = 8 * 3_600_000;

/** Someone who gave the code, in a session that stands. */
export interface Viewing {
  readonly share: StoredShare;
  readonly session: ShareSessionRow;
}

/**
 * Who comes to a link: a `stranger` (without a session of it; the link may not even exist), someone whose share has
 * `ended` since they gave the code, someone whose session is over (`timed-out`) while the share goes on, or someone `viewing`.
 */
export type Visit =
  | { readonly state: "stranger"; readonly share: StoredShare | undefined }
  | (Viewing & { readonly state: "ended"; readonly reason: EndReason })
  | (Viewing & { readonly state: "timed-out" | "viewing" });

export interface LinkRoute {
  Params: { token: string };
}

/** Reads the state of link and session from the database, for this very request. */
export async function visitOf(
  { deps: { database, clock } }: ShareDesk,
  request: FastifyRequest<LinkRoute>,
): Promise<Visit> {
  const share = await shareOfToken(database, sha256Of(request.params.token));
  const secret = request.cookies[sessionCookie];
  if (share === undefined || secret === undefined) return { state: "stranger", share };
  const now = clock.now();
  const session = await database
    .selectFrom("share_sessions")
    .selectAll()
    .where("secret_sha256", "=", sha256Of(secret))
    .where("share_id", "=", share.id)
    .executeTakeFirst();
  if (session === undefined) return { state: "stranger", share };
  const reason = endOf(share, now);
  if (reason !== undefined) return { state: "ended", share, session, reason };
  if (session.ends_at > now.toISOString()) return { state: "viewing", share, session };
  // One that was cut short belongs to a link that was renewed since.
  const lasted = Date.parse(session.ends_at) - Date.parse(session.started_at);
  return lasted < longestSessionMs
    ? { state: "stranger", share }
    : { state: "timed-out", share, session };
}

/** Where a request comes from, for the access log. */
export function visitorOf(request: FastifyRequest): Visitor {
  const agent = (request.headers["user-agent"] ?? "").replace(/[\p{Cc}\p{Cf}]+/gu, " ");
  return { address: request.ip, agent: agent.slice(0, 200) };
}
