import { smokeCase } from "../evidence/case.ts";
import type { Clock } from "../evidence/ports/clock.ts";
import type { ExhibitEntry, Register } from "../evidence/ports/register.ts";
import type { SmokeEraser } from "../evidence/ports/smoke-eraser.ts";
import type { SmokeRoom } from "../evidence/ports/smoke-room.ts";
import type { Store } from "../evidence/ports/store.ts";
import { randomId } from "../evidence/random-id.ts";
import { leftoverMs, notSmoke, smokeFolder } from "../evidence/smoke.ts";
import { reservationName } from "../evidence/key.ts";
import { listReservations, readReservation, reservationKey } from "./reservations.ts";

/** What smokes in a store without a server need of it. */
export interface SmokeDesk {
  readonly store: Store;
  readonly register: Register;
  readonly eraser: SmokeEraser;
  /** Of the key of this machine. */
  readonly thumbprint: string;
  readonly clock: Clock;
}

/** Synthetic material in a store without a server: each machine erases its own, and at its next smoke what it left a day ago. */
export function keyedSmokeRoom({
  store,
  register,
  eraser,
  thumbprint,
  clock,
}: SmokeDesk): SmokeRoom {
  return {
    async begin(totalBytes, signal) {
      await eraser.requireErasable(signal);
      await eraseLeft(signal);
      const reference = randomReference();
      const wanted = { case: smokeCase, reference, initials: undefined, sourceId: reference };
      return register.reserve({ ...wanted, totalBytes }, signal);
    },
    async erase(entry, signal) {
      if (entry.case !== smokeCase) throw notSmoke();
      const reservation = await readReservation(store, reservationKey(entry), signal);
      if (reservation === undefined) return;
      if (reservation.id !== entry.id || reservation.submitter !== thumbprint) throw notSmoke();
      await eraseAll(entry, signal);
    },
    stranger: undefined,
  };

  async function eraseLeft(signal: AbortSignal): Promise<void> {
    const before = new Date(clock.now().getTime() - leftoverMs).toISOString();
    const left: ExhibitEntry[] = [];
    for await (const { reservation, entry } of listReservations(store, smokeCase, signal)) {
      const isOwn = reservation.submitter === thumbprint;
      if (isOwn && reservation.reservedAt <= before) left.push(entry);
    }
    for (const entry of left) await eraseAll(entry, signal);
  }

  /** The reservation last, so that what a crash leaves is known as this machine's. */
  async function eraseAll(entry: ExhibitEntry, signal: AbortSignal): Promise<void> {
    const folder = smokeFolder(entry);
    for (const upload of await store.uploads(signal)) {
      if (upload.key.startsWith(folder)) await store.abort(upload, signal);
    }
    const keys: string[] = [];
    for await (const { key } of store.list(folder, signal)) keys.push(key);
    for (const key of keys)
      if (!key.endsWith(`/${reservationName}`)) await eraser.erase(key, signal);
    await eraser.erase(`${folder}${reservationName}`, signal);
  }
}

/** Never allotted by counting: machines that smoke at the same time do not meet. */
function randomReference(): string {
  const letters = (): string => randomId("", 6).toUpperCase();
  return `SMOKE/1/${letters()}/${letters()}`;
}
