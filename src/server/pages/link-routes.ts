import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { z } from "zod";
import { sha256Of } from "../../evidence/digest.ts";
import { randomId } from "../../evidence/random-id.ts";
import { sharePagePath } from "../../protocol/shares.ts";
import { logAccess } from "../shares/access-log.ts";
import { limitGroup } from "../shares/client-address.ts";
import type { ShareDesk } from "../shares/share-desk.ts";
import { endOf, shareOfToken, type StoredShare } from "../shares/share-rows.ts";
import { codeFits, newToken } from "../shares/share-secrets.ts";
import { notesOf } from "../shares/leave-note.ts";
import { expectedCode, useCode } from "../shares/mailed-code.ts";
import { SlidingLimit } from "../shares/sliding-limit.ts";
import { askForCode, type CodeAsked } from "./ask-for-code.ts";
import { codePage, type CodePageState } from "./code-page.ts";
import { exhibitPage } from "./exhibit-page.ts";
import { linkEnded, messagePage } from "./message-page.ts";
import type { PageAssets } from "./page-assets.ts";
import { shownExhibits } from "./shown-exhibits.ts";
import { longestSessionMs, sessionCookie, visitOf, visitorOf, type LinkRoute } from "./visit.ts";

/** Fetching a page without a code: how often one client may, on one link, in an hour. */
const mostStrangers = 240;

const bodySchema = z.object({ code: z.string().max(200) });
const askSchema = z.object({ ask: z.literal("code") });
const querySchema = z.object({ code: z.literal("asked") });

/**
 * `GET /s/TOKEN`: the code's field, or behind the code the exhibits. Never changes anything, so that a mail scanner
 * that comes first takes nothing away.
 * `POST /s/TOKEN`: the code; starts a viewing session and sends the browser back to the page. Or, where the server sends
 * mail, the wish for a code (`ask=code`).
 *
 * To whoever has no session, all links are alike: unknown, expired, revoked and open ones, with a wrong code or
 * none, get the same bytes after the same work. The access log, written once the answer is out, tells them apart.
 */
export function linkRoutes(app: FastifyInstance, desk: ShareDesk, assets: PageAssets): void {
  const { deps, attempts, late } = desk;
  const { database, clock, settings } = deps;
  const strangers = new SlidingLimit(clock, mostStrangers, 3_600_000);
  const asked: CodeAsked = askForCode(desk);
  const config = { access: "public" } as const;

  app.get<LinkRoute>(`${sharePagePath}/:token`, { config }, async (request, reply) => {
    const visit = await visitOf(desk, request);
    const from = visitorOf(request);
    if (visit.state === "stranger" || visit.state === "timed-out") {
      const key = `${sha256Of(request.params.token)} ${limitGroup(request.ip)}`;
      const waitMs = strangers.waitMs(key);
      if (waitMs > 0) return sendLimited(reply, waitMs);
      strangers.add(key);
      const { share } = visit;
      if (share !== undefined) {
        late.after(reply, { share: share.id, kind: "prefetch", from });
      }
      const isAsked = querySchema.safeParse(request.query).success;
      return sendCodePage(
        reply,
        200,
        isAsked ? "sent" : visit.state === "timed-out" ? "timed-out" : "ask",
      );
    }
    const access = { share: visit.share.id, session: visit.session.id, from };
    if (visit.state === "ended") {
      await logAccess(database, clock, { ...access, kind: `refused-${visit.reason}` });
      return reply.code(410).send(messagePage(settings.organisation, assets, linkEnded));
    }
    await logAccess(database, clock, { ...access, kind: "page" });
    return reply.send(
      exhibitPage({
        organisation: settings.organisation,
        share: visit.share,
        exhibits: await shownExhibits(database, visit.share.id),
        notes: await notesOf(database, visit.share.id),
        token: request.params.token,
        assets,
      }),
    );
  });

  app.post<LinkRoute>(`${sharePagePath}/:token`, { config }, async (request, reply) => {
    const link = sha256Of(request.params.token);
    const share = await shareOfToken(database, link);
    const from = visitorOf(request);
    if (desk.outbox !== undefined && askSchema.safeParse(request.body).success) {
      const waitMs = asked(request, reply, share);
      if (waitMs > 0) return sendLimited(reply, waitMs);
      // Anybody can ask here, under any name: encoded, it leads back to this page and nowhere else.
      const back = `${encodeURIComponent(request.params.token)}?code=asked`;
      return reply.code(303).header("location", back).send();
    }
    const attempt = attempts.begin(link, request.ip);
    if ("waitMs" in attempt) {
      if (share !== undefined) {
        late.after(reply, { share: share.id, kind: "code-limited", from });
      }
      return sendLimited(reply, attempt.waitMs);
    }
    const body = bodySchema.safeParse(request.body);
    const expected = share && expectedCode(share, clock.now());
    const fits = await codeFits(body.success ? body.data.code : "", expected);
    if (share === undefined) {
      request.log.info("a code was given on an unknown link");
      return sendCodePage(reply, 403, "refused");
    }
    const end = endOf(share, clock.now());
    if (!fits || end !== undefined) {
      const kind = end === undefined ? "code-wrong" : (`refused-${end}` as const);
      const detail = end === undefined ? {} : { detail: fits ? "right code" : "wrong code" };
      late.after(reply, { share: share.id, kind, from, ...detail });
      return sendCodePage(reply, 403, "refused");
    }
    if (share.by_mail === 1 && !(await useCode(desk, share))) {
      late.after(reply, { share: share.id, kind: "code-wrong", from, detail: "used already" });
      return sendCodePage(reply, 403, "refused");
    }
    attempt.forgive();
    await startSession(request, reply, share);
    return reply.code(303).header("location", request.params.token).send();
  });

  async function startSession(
    request: FastifyRequest<LinkRoute>,
    reply: FastifyReply,
    share: StoredShare,
  ): Promise<void> {
    const now = clock.now();
    const secret = newToken();
    const latest = new Date(now.getTime() + longestSessionMs).toISOString();
    const session = {
      id: randomId("v", 12),
      share_id: share.id,
      secret_sha256: sha256Of(secret),
      ...visitorOf(request),
      started_at: now.toISOString(),
      ends_at: latest < share.expires_at ? latest : share.expires_at,
    };
    await database.insertInto("share_sessions").values(session).execute();
    const from = visitorOf(request);
    const kind = "session-started";
    await logAccess(database, clock, { share: share.id, kind, from, session: session.id });
    const base = new URL(settings.publicUrl);
    void reply.setCookie(sessionCookie, secret, {
      httpOnly: true,
      sameSite: "strict",
      secure: base.protocol === "https:",
      path: `${base.pathname.replace(/\/$/, "")}${sharePagePath}/${request.params.token}`,
      // Longer than the session, so that its recipient is told why the code is asked for again.
      maxAge: Math.floor((Date.parse(share.expires_at) - now.getTime()) / 1000),
    });
  }

  function sendCodePage(reply: FastifyReply, status: number, state: CodePageState): FastifyReply {
    const mails = desk.outbox !== undefined;
    return reply.code(status).send(codePage({ ...settings, mails }, assets, state));
  }

  function sendLimited(reply: FastifyReply, waitMs: number): FastifyReply {
    const waitMinutes = Math.ceil(waitMs / 60_000);
    void reply.header("retry-after", waitMinutes * 60);
    return sendCodePage(reply, 429, { waitMinutes });
  }
}
