import type { FastifyReply, FastifyRequest } from "fastify";
import { sha256Of } from "../../evidence/digest.ts";
import { logAccess } from "../shares/access-log.ts";
import { limitGroup } from "../shares/client-address.ts";
import { mailCode } from "../shares/mailed-code.ts";
import type { ShareDesk } from "../shares/share-desk.ts";
import type { StoredShare } from "../shares/share-rows.ts";
import { SlidingLimit } from "../shares/sliding-limit.ts";
import { visitorOf, type LinkRoute } from "./visit.ts";

const hour = 3_600_000;
/** Codes that may be asked for in an hour: on one link, so that nobody's mailbox is filled, and by one client on all links. */
const most = { link: 6, client: 30 };

/** Takes a wish for a code. Gives how long to wait where there were too many, else 0. */
export type CodeAsked = (
  request: FastifyRequest<LinkRoute>,
  reply: FastifyReply,
  share: StoredShare | undefined,
) => number;

/**
 * The wish for a code is counted and answered alike for every link, known or not; making and mailing the code begins
 * when the answer is out.
 */
export function askForCode(desk: ShareDesk): CodeAsked {
  const { database, clock } = desk.deps;
  const links = new SlidingLimit(clock, most.link, hour);
  const clients = new SlidingLimit(clock, most.client, hour);
  return (request, reply, share) => {
    const link = sha256Of(request.params.token);
    const client = limitGroup(request.ip);
    const waitMs = Math.max(links.waitMs(link), clients.waitMs(client));
    if (waitMs > 0) return waitMs;
    links.add(link);
    clients.add(client);
    if (share !== undefined) {
      const from = visitorOf(request);
      const detail = share.by_mail === 0 ? { detail: "no mail: it is handed over by hand" } : {};
      desk.late.do(reply, async () => {
        await logAccess(database, clock, { share: share.id, kind: "code-asked", from, ...detail });
        await mailCode(desk, share);
      });
    }
    return 0;
  };
}
