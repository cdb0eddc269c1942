import type { SignInWay } from "../../src/evidence/ports/officer-sign-in.ts";
import type { Clock } from "../../src/evidence/ports/clock.ts";
import { signInAt } from "./force-person.ts";
import { groups, type ForceProvider } from "./force-provider.ts";
import { newMachine, type Person } from "./server.ts";

export const smith = "officer.smith@force.example";
export const jones = "officer.jones@force.example";

export type OfficerMachine = Person["machine"];

/** The force's accounts and the provider's habits, as every test begins with them. */
export function resetProvider(provider: ForceProvider): void {
  const oid = (digit: string) => `${digit.repeat(8)}-1111-4222-8333-444444444444`;
  provider.accounts.set(smith, { oid: oid("a"), groups: [groups.officers] });
  provider.accounts.set(jones, { oid: oid("b"), groups: [groups.officers] });
  Object.assign(provider.habits, { blocksDevices: false, hasDeviceFlow: true, isDown: false });
  Object.assign(provider.habits, {
    accessTokenSeconds: 3600,
    discovery: {},
    endsNothing: undefined,
  });
}

/** A machine that several processes share, as far as turns go. */
export function sharedMachine(clock: Clock): OfficerMachine {
  let last: Promise<unknown> = Promise.resolve();
  return {
    ...newMachine(clock),
    inTurn: (_name, work) => {
      const turn = last.then(work, work);
      last = turn.catch(() => undefined);
      return turn;
    },
  };
}

export function atPage(walk: (page: string) => Promise<unknown>): SignInWay {
  return { by: "page", showPage: (page) => void walk(page) };
}

export function asPerson(login: string): SignInWay {
  return atPage((page) => signInAt(page, login));
}
