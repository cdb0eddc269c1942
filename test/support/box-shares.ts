import { expect } from "@jest/globals";
import type { Clock } from "../../src/evidence/ports/clock.ts";
import type { NewShare, ShareRequest, Sharing } from "../../src/evidence/ports/sharing.ts";
import type { User } from "./box/accounts/users.ts";
import { call, film, openBoxOffice, picture, type BoxOffice } from "./box-office.ts";
import { soon } from "./server.ts";

export const day = 86_400_000;
export const outsider = { name: "Jane Smith", email: "jane.smith@cps.example" };
export const colleague = { name: "Cole League", email: "cole.league@force.example" };
export const nothing = { links: 0, invitations: 0, copies: 0 };

type Shared = ShareRequest["exhibits"][number];

/** An office with officers, a colleague and exhibits to share. */
export interface ShareDesk {
  readonly office: BoxOffice;
  readonly colleagueUser: User;
  readonly otherOfficer: User;
  readonly photo: Shared;
  /** A film and a picture. */
  readonly tape: Shared;
  readonly recording: Shared;
  /** Each time as another process would have it. */
  sharing(user?: User, clock?: Clock): Sharing;
  inDays(days: number): string;
  make(changes?: Partial<ShareRequest>, signal?: AbortSignal, by?: User): Promise<NewShare>;
  /** What somebody in a browser, who is signed in nowhere, sees of a link. */
  visit(link: string, code?: string): Promise<{ status: number; text: string }>;
  /** The status that somebody who is signed in gets for a link. */
  resolve(user: User, link: string, code?: string): Promise<number>;
  /** Revokes all, sets the tenant back, and sees that nobody outside has access to anything. */
  clear(): Promise<void>;
  /** Also sees that Box was asked for nothing that its document does not have. */
  close(): Promise<void>;
}

export async function openShareDesk(): Promise<ShareDesk> {
  const office = await openBoxOffice();
  const { box } = office;
  const colleagueUser = box.addUser({ name: colleague.name, login: colleague.email });
  const otherOfficer = box.addUser({ name: "Otto Other", login: "otto@force.example" });
  await office.admit(otherOfficer);
  const photo = await office.exhibit(picture);
  const tape = await office.exhibit(film, picture);
  const recording = await office.exhibit(call);
  const usual = { ...box.settings };
  const sharing = (user?: User, clock?: Clock): Sharing => {
    const { sharing: found } = office.as(user, clock);
    if (found === undefined) throw new Error("A store in Box shares.");
    return found;
  };
  const inDays = (days: number): string =>
    new Date(box.clock.now().getTime() + days * day).toISOString();
  return {
    office,
    colleagueUser,
    otherOfficer,
    photo,
    tape,
    recording,
    sharing,
    inDays,
    make(changes = {}, signal = soon(), by) {
      const wanted: ShareRequest = {
        exhibits: [photo],
        recipient: outsider,
        access: "view",
        expiresAt: inDays(7),
        purpose: "Charging decision",
        ...changes,
      };
      return sharing(by).create(wanted, signal);
    },
    async visit(link, code) {
      const url = new URL(link);
      if (code !== undefined) url.searchParams.set("password", code);
      const answer = await fetch(url);
      return { status: answer.status, text: await answer.text() };
    },
    async resolve(user, link, code) {
      const password =
        code === undefined ? "" : `&shared_link_password=${encodeURIComponent(code)}`;
      const boxapi = `shared_link=${link}${password}`;
      return (await office.ask(user, "GET", "/shared_items", undefined, { boxapi })).status;
    },
    async clear() {
      box.faults.clear();
      Object.assign(box.settings, usual);
      for (const { id, state } of await sharing().list(soon())) {
        if (state !== "revoked") await sharing().revoke(id, undefined, soon());
      }
      expect(office.access()).toEqual(nothing);
    },
    async close() {
      const ours = box.violations.filter(
        ({ agent, side }) => side === "request" && agent.startsWith("exhibit"),
      );
      await office.close();
      expect(ours).toEqual([]);
      expect(box.crashes).toEqual([]);
    },
  };
}
