import { afterEach, beforeEach, describe, expect, it, jest } from "@jest/globals";
import type { ShareRequest } from "../../src/evidence/ports/sharing.ts";
import { failure } from "../support/box/http/faults.ts";
import { colleague, nothing, openShareDesk, type ShareDesk } from "../support/box-shares.ts";
import { soon } from "../support/server.ts";

jest.setTimeout(120_000);

let desk: ShareDesk;
// A Box of its own for each: shares that are over are read, too, when they are listed.
beforeEach(async () => {
  desk = await openShareDesk();
});
afterEach(async () => {
  await desk.clear();
  await desk.close();
});

/** The requests that making a share takes. */
async function stepsOf(
  changes: Partial<ShareRequest>,
): Promise<{ method: string; path: string }[]> {
  // The first share in a store also makes the folder of all.
  const first = await desk.make(changes);
  await desk.sharing().revoke(first.share.id, undefined, soon());
  const before = desk.office.box.requests.length;
  const made = await desk.make(changes);
  const steps = desk.office.box.requests
    .slice(before)
    .map(({ method, path }) => ({ method, path }));
  await desk.sharing().revoke(made.share.id, undefined, soon());
  return steps;
}

describe("whatever breaks while a share is made", () => {
  const kinds: [string, () => Partial<ShareRequest>][] = [
    ["for a colleague", () => ({ exhibits: [desk.tape], recipient: colleague })],
    ["behind a code", () => ({})],
    ["of originals", () => ({ access: "original", exhibits: [desk.photo, desk.tape] })],
  ];

  it.each(kinds)("leaves nothing when a step is refused, at each step (%s)", async (_, changes) => {
    const steps = await stepsOf(changes());
    for (const after of steps.keys()) {
      const answer = failure(403, "forbidden", "no");
      desk.office.box.faults.next({ path: /./, after, answer });
      const made = await desk.make(changes()).catch(() => undefined);
      desk.office.box.faults.clear();
      if (made === undefined)
        expect([after, steps[after], desk.office.access()]).toEqual([after, steps[after], nothing]);
      else await desk.sharing().revoke(made.share.id, undefined, soon());
    }
    expect(desk.office.access()).toEqual(nothing);
  });

  it.each(kinds)("leaves nothing when it is stopped, at each step (%s)", async (_, changes) => {
    const steps = await stepsOf(changes());
    for (const after of steps.keys()) {
      const stop = new AbortController();
      desk.office.box.faults.next({
        path: /./,
        after,
        alter: (answer) => {
          stop.abort(new Error("stopped by the test"));
          return answer;
        },
      });
      const made = desk.make(changes(), AbortSignal.any([stop.signal, soon()]));
      await expect(made).rejects.toThrow("stopped by the test");
      desk.office.box.faults.clear();
      expect([after, desk.office.access()]).toEqual([after, nothing]);
    }
  });

  it.each(kinds)(
    "makes everything once when Box did it and said 503, or hung up (%s)",
    async (_, changes) => {
      const steps = await stepsOf(changes());
      const writes = [...steps.entries()].filter(([, { method }]) => method !== "GET");
      for (const [at] of writes) {
        const storeThenAnswer = failure(503, "unavailable", "later");
        desk.office.box.faults.next(
          at % 2 === 0
            ? { path: /./, after: at, storeThenAnswer }
            : { path: /./, after: at, cut: "unanswered" },
        );
        const made = await desk.make(changes());
        desk.office.box.faults.clear();
        const { access, exhibits } = made.share;
        const expected =
          access === "original"
            ? { links: 0, invitations: exhibits.length, copies: 0 }
            : {
                links: 1,
                invitations: made.code === undefined ? 1 : 0,
                copies: exhibits[0]?.id === desk.tape.id ? 2 : 1,
              };
        expect([at, steps[at], desk.office.access()]).toEqual([at, steps[at], expected]);
        await desk.sharing().revoke(made.share.id, undefined, soon());
      }
    },
  );

  it.each(kinds)(
    "is found and taken away later when we die, at each step (%s)",
    async (_, changes) => {
      const steps = await stepsOf(changes());
      const writes = [...steps.entries()].filter(([, { method }]) => method !== "GET");
      let found = 0;
      for (const [at] of writes) {
        // From here on nothing gets through any more, as if we were not there.
        const answer = failure(403, "forbidden", "no");
        desk.office.box.faults.next({ path: /./, after: at + 1, times: 10_000, answer });
        const made = await desk.make(changes()).catch(() => undefined);
        desk.office.box.faults.clear();
        // After the last of them it is made.
        expect([at, made !== undefined]).toEqual([at, at === writes.at(-1)?.[0]]);
        const unfinished = (await desk.sharing().list(soon())).filter(
          ({ state }) => state === "unfinished",
        );
        found += unfinished.length;
        for (const { id } of unfinished) {
          expect((await desk.sharing().revoke(id, undefined, soon())).share.state).toBe("revoked");
        }
        const open = (await desk.sharing().list(soon())).filter(({ state }) => state === "open");
        for (const { id } of open) await desk.sharing().revoke(id, undefined, soon());
        expect([at, desk.office.access()]).toEqual([at, nothing]);
      }
      expect(found).toBeGreaterThan(1);
    },
  );
});
