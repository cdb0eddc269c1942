import type { NewShare, Sharing } from "../../evidence/ports/sharing.ts";
import { ExhibitError } from "../../evidence/errors.ts";
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
      const { link, exhibits, ...rest } = request;
      if (link !== undefined) throw oneKind();
      const body = { ...rest, exhibits: exhibits.map(({ id }) => id) };
      // Never sent twice by itself: a lost answer would leave a share whose link nobody has seen.
      const call = { method: "POST", path: sharesPath, body, once: true } as const;
      return newShareOf(await session.call(call, signal));
    },
    list: async (signal) => shareListSchema.parse(await get(sharesPath, signal)).shares,
    // What a share needs is made while somebody looks; nothing is left of one that has ended.
    clearEnded: () => Promise.resolve([]),
    show: async (id, signal) => shareSchema.parse(await get(pathOf(id), signal)),
    log: async (id, signal) => ({
      events: shareLogSchema.parse(await get(`${pathOf(id)}/log`, signal)).events,
      notes: [],
    }),
    renew: async (id, mail, signal) => {
      // Never sent twice by itself: the second would kill the link that the first gave.
      const path = `${pathOf(id)}/renew`;
      return newShareOf(
        await session.call({ method: "POST", path, body: { mail }, once: true }, signal),
      );
    },
    update: async (id, expiresAt, signal) => {
      const path = `${pathOf(id)}/update`;
      const answer = await session.call({ method: "POST", path, body: { expiresAt } }, signal);
      return { share: shareSchema.parse(answer.body), warnings: [] };
    },
    revoke: async (id, exhibit, signal) => {
      const path = `${pathOf(id)}/revoke`;
      const answer = await session.call({ method: "POST", path, body: { exhibit } }, signal);
      return revocationSchema.parse(answer.body);
    },
  };
}

function newShareOf({ body }: { readonly body: unknown }): NewShare {
  const { code, ...made } = newShareSchema.parse(body);
  return { ...made, code };
}

function oneKind(): ExhibitError {
  return new ExhibitError(
    "policy.unsupported",
    "The links of an exhibit server open for whoever has link and code.",
    { hint: "Leave out --link; it is for stores in Box." },
  );
}
