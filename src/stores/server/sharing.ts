import type { Sharing } from "../../evidence/ports/sharing.ts";
import { shareSchema } from "../../evidence/share.ts";
import {
  newShareSchema,
  revocationSchema,
  shareListSchema,
  shareLogSchema,
  sharesPath,
} from "../../protocol/shares.ts";
import type { Session } from "./session.ts";

/** The shares of an exhibit server, as far as the session's identity may make and see them. */
export function sharingOf(session: Session): Sharing {
  const get = async (path: string, signal: AbortSignal): Promise<unknown> =>
    (await session.call({ method: "GET", path }, signal)).body;
  const pathOf = (id: string): string => `${sharesPath}/${encodeURIComponent(id)}`;
  return {
    create: async (request, signal) => {
      // Never sent twice by itself: a lost answer would leave a share whose link nobody has seen.
      const call = { method: "POST", path: sharesPath, body: request, once: true } as const;
      return newShareSchema.parse((await session.call(call, signal)).body);
    },
    list: async (signal) => shareListSchema.parse(await get(sharesPath, signal)).shares,
    show: async (id, signal) => shareSchema.parse(await get(pathOf(id), signal)),
    log: async (id, signal) => shareLogSchema.parse(await get(`${pathOf(id)}/log`, signal)).events,
    revoke: async (id, exhibit, signal) => {
      const path = `${pathOf(id)}/revoke`;
      const answer = await session.call({ method: "POST", path, body: { exhibit } }, signal);
      return revocationSchema.parse(answer.body);
    },
  };
}
