import type { Clock } from "../../../evidence/ports/clock.ts";
import { ExhibitError } from "../../../evidence/errors.ts";
import type { Register } from "../../../evidence/ports/register.ts";
import type { Sharing } from "../../../evidence/ports/sharing.ts";
import { originalsTaken, shareLog } from "../audit/share-log.ts";
import { Account } from "../enterprise/account.ts";
import type { Files } from "../files.ts";
import { clearEnded } from "./clear-ended.ts";
import { createShare } from "./create.ts";
import { describe, wasAbandoned } from "./describe.ts";
import type { Desk } from "./desk.ts";
import { revokeShare } from "./revoke.ts";
import { Shelf, type ShelvedShare } from "./shelf.ts";
import { updateShare } from "./update.ts";

/** What sharing in Box needs. */
export interface BoxSharing {
  readonly files: Files;
  readonly register: Register;
  readonly clock: Clock;
  readonly account?: Account;
}

/** Shares by Box's own links and invitations, kept in the store's folder itself. Nothing is asked of Box before it is used. */
export function boxSharing({ files, register, clock, account }: BoxSharing): Sharing {
  const desk: Desk = {
    files,
    register,
    clock,
    account: account ?? new Account(files.api),
    shelf: new Shelf(files),
  };
  // To read all shares takes long; who clears away after listing them reads them once.
  let listed: ShelvedShare[] | undefined;
  return {
    create: (request, signal) => createShare(desk, request, signal),

    async list(signal) {
      const { id, isAdministrator } = await desk.account.get(signal);
      const now = clock.now();
      listed = await desk.shelf.list(signal);
      return listed
        .filter((one) => !wasAbandoned(one))
        .filter(({ intent }) => isAdministrator || intent.createdBy === id)
        .map((one) => describe(one, now))
        .sort((a, b) => (a.createdAt < b.createdAt ? 1 : -1));
    },

    async clearEnded(signal) {
      const { id } = await desk.account.get(signal);
      const shelved = listed ?? (await desk.shelf.list(signal));
      listed = undefined;
      return clearEnded(
        desk,
        shelved.filter(({ intent }) => intent.createdBy === id),
        signal,
      );
    },

    async show(id, signal) {
      return describe(await desk.shelf.read(id, signal), clock.now());
    },

    async log(id, signal) {
      return shareLog(desk, await desk.shelf.read(id, signal), signal);
    },

    renew: () => Promise.reject(noRenewal()),

    update: (id, expiresAt, signal) => updateShare(desk, id, expiresAt, signal),

    revoke: (id, exhibit, signal) =>
      revokeShare(
        desk,
        (shelved, stop) => originalsTaken(desk, shelved, stop),
        id,
        exhibit,
        signal,
      ),
  };
}

function noRenewal(): ExhibitError {
  return new ExhibitError("policy.unsupported", "A link in Box cannot be replaced by another.", {
    hint: "Cut this share off with exhibit share revoke, and make a new one with exhibit share create.",
  });
}
