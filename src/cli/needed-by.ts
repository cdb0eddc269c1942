import { arrivalAt } from "../evidence/time-of-arrival.ts";
import { ExhibitError } from "../evidence/errors.ts";
import type { OnTransferEvent, TransferEvent } from "../evidence/progress.ts";
import type { Timetable } from "../evidence/timetable.ts";
import { instantOf } from "../evidence/wall-clock.ts";
import { Tally } from "./ui/progress/tally.ts";

/** A speed is believed once it was measured for so long. */
const measuredForMs = 5000;
const everyMs = 5000;
/** A time of arrival that moves by more than this part of what is left is told again. */
const worthTelling = 0.25;

/**
 * When it is needed: `15:00` (today), `2026-11-21 15:00`, or a time with its offset.
 *
 * @throws ExhibitError `usage.invalid`, also for a time that has passed
 */
export function neededByOf(text: string, now: Date): Date {
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  const day = new Intl.DateTimeFormat("sv-SE", { timeZone: zone }).format(now);
  const clock = /^([01]?\d|2[0-3]):([0-5]\d)$/.exec(text.trim());
  const wall =
    clock === null ? text : `${day} ${(clock[1] ?? "").padStart(2, "0")}:${clock[2] ?? ""}`;
  const at = new Date(
    instantOf(wall, zone, "--needed-by", 'Write 15:00 (today), or "2026-11-21 15:00".'),
  );
  if (at > now) return at;
  throw new ExhibitError("usage.invalid", `--needed-by ${text} has passed.`, {
    hint: 'Write a time that is still to come; for tomorrow with its day: "2026-11-22 09:00".',
  });
}

/** Follows a transfer and says early, and again when it changes, whether it will have arrived by the time it is needed. */
export class NeededBy {
  readonly #neededBy: Date;
  readonly #timetable: Timetable;
  readonly #tell: OnTransferEvent;
  readonly #tally = new Tally();
  readonly #timer: NodeJS.Timeout;
  #isAllPlanned = false;
  #sendingSinceMs: number | undefined;
  #told: { readonly isLate: boolean; readonly arrivesMs: number } | undefined;

  constructor(neededBy: Date, timetable: Timetable, tell: OnTransferEvent) {
    this.#neededBy = neededBy;
    this.#timetable = timetable;
    this.#tell = tell;
    this.#timer = setInterval(() => {
      this.#judge();
    }, everyMs);
    this.#timer.unref();
  }

  take(event: TransferEvent): void {
    const now = performance.now();
    this.#tally.take(event, now);
    if (event.type === "planned") this.#isAllPlanned ||= event.isComplete;
    if (event.type === "part-done" && event.sent) {
      this.#sendingSinceMs ??= now;
      this.#judge();
    }
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #judge(): void {
    const now = performance.now();
    const since = this.#sendingSinceMs;
    const speed = this.#tally.speed(now);
    if (since === undefined || speed === undefined || !this.#isAllPlanned) return;
    if (now - since < measuredForMs) return;
    const left = this.#tally.bytes - this.#tally.doneBytes;
    if (left <= 0) return;
    const at = new Date();
    const arrives = arrivalAt(left, speed, this.#timetable, at, undefined);
    const arrivesMs = arrives?.getTime() ?? Infinity;
    const isLate = arrivesMs > this.#neededBy.getTime();
    const told = this.#told;
    const isSame =
      told?.isLate === isLate &&
      (!isLate ||
        arrivesMs === told.arrivesMs ||
        Math.abs(arrivesMs - told.arrivesMs) <= (told.arrivesMs - at.getTime()) * worthTelling);
    if (isSame) return;
    this.#told = { isLate, arrivesMs };
    this.#tell({
      type: "needed-by",
      neededBy: this.#neededBy.toISOString(),
      ...(arrives === undefined ? {} : { arrivesAt: arrives.toISOString() }),
      isLate,
    });
  }
}
