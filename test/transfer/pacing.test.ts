import { afterEach, beforeEach, describe, expect, it, jest } from "@jest/globals";
import { limitAt, parseTimetable } from "../../src/evidence/timetable.ts";
import { AdaptiveConcurrency } from "../../src/transfer/concurrency.ts";
import { Paced } from "../../src/transfer/paced.ts";
import { PartSizes } from "../../src/transfer/part-sizes.ts";

const kib = 1024;
const mib = 1024 * kib;
const london = "Europe/London";
const office = "Mon-08:00,500K Mon-22:00,off";

describe("a timetable of limits", () => {
  it.each([
    ["2M", "2026-07-01T12:00:00Z", 2 * mib],
    ["off", "2026-07-01T12:00:00Z", "off"],
    // A Monday in July: London is an hour ahead of UTC.
    [office, "2026-07-06T06:59:59Z", "off"],
    [office, "2026-07-06T07:00:00Z", 500 * kib],
    [office, "2026-07-06T20:59:59Z", 500 * kib],
    [office, "2026-07-06T21:00:00Z", "off"],
    // And in January none.
    [office, "2026-01-05T07:59:59Z", "off"],
    [office, "2026-01-05T08:00:00Z", 500 * kib],
    // Before the week's first entry the last one of the week before still counts.
    ["Tue-10:00,1M Fri-10:00,3M", "2026-01-05T00:00:00Z", 3 * mib],
    ["Sun-20:00,1M Fri-10:00,3M", "2026-01-05T00:00:00Z", 1 * mib],
    ["08:00,512K 19:00,10M 23:00,off", "2026-01-07T18:59:00Z", 512 * kib],
    ["08:00,512K 19:00,10M 23:00,off", "2026-01-08T03:00:00Z", "off"],
    ["Monday-8:00,500k monday-22:00,OFF", "2026-01-05T08:00:00Z", 500 * kib],
    // Spring: the clock goes from 01:00 to 02:00 on 29 March 2026; 01:30 never comes, and its entry counts from 02:00.
    ["Sun-01:30,1M Sun-03:00,off", "2026-03-29T00:59:59Z", "off"],
    ["Sun-01:30,1M Sun-03:00,off", "2026-03-29T01:00:00Z", 1 * mib],
    ["Sun-01:30,1M Sun-03:00,off", "2026-03-29T02:00:00Z", "off"],
    // Autumn: 01:00 to 02:00 comes twice on 25 October 2026; each time the wall clock counts.
    ["Sun-01:30,1M Sun-03:00,off", "2026-10-25T00:29:00Z", "off"],
    ["Sun-01:30,1M Sun-03:00,off", "2026-10-25T00:30:00Z", 1 * mib],
    ["Sun-01:30,1M Sun-03:00,off", "2026-10-25T01:29:00Z", "off"],
    ["Sun-01:30,1M Sun-03:00,off", "2026-10-25T01:30:00Z", 1 * mib],
    ["Sun-01:30,1M Sun-03:00,off", "2026-10-25T03:00:00Z", "off"],
  ])("%s at %s is %s", (text, at, limit) => {
    expect(limitAt(parseTimetable(text, "--bwlimit"), new Date(at), london)).toBe(limit);
  });

  it.each([
    ["", "nothing"],
    ["512", "no unit"],
    ["0K", "no speed at all"],
    ["-1M", "less than nothing"],
    ["Mon-08:00", "no limit"],
    ["Mon-24:00,1M", "no such hour"],
    ["Mon-08:60,1M", "no such minute"],
    ["Foo-08:00,1M", "no such day"],
    ["08:00,1M 08:00,2M", "the same time twice"],
    ["08:00,1M Tue-08:00,2M", "the same time twice, once by its day"],
    ["Mon-08:00,1M,2M", "two limits"],
    ["08:00,1M then off", "words"],
  ])("%j (%s) is refused with an example", (text) => {
    expect(() => parseTimetable(text, "--bwlimit")).toThrow(
      expect.objectContaining({
        code: "usage.invalid",
        message: expect.stringContaining("--bwlimit"),
      }),
    );
  });
});

describe("a pace", () => {
  beforeEach(() => {
    jest.useFakeTimers({ now: new Date("2026-03-29T00:59:50Z") });
  });
  afterEach(() => {
    jest.useRealTimers();
  });
  const clock = { now: () => new Date() };
  const signal = new AbortController().signal;

  /** Moves all it may within some seconds of the fake clock; bytes moved by the end of each second. */
  async function moved(pace: Paced, seconds: number, askers = 1): Promise<number[]> {
    const stop = new AbortController();
    let bytes = 0;
    const move = async (): Promise<void> => {
      for (;;) {
        const stride = pace.strideBytes;
        await pace.wait(stride, stop.signal);
        bytes += stride;
        await new Promise((resolve) => setTimeout(resolve, 1));
      }
    };
    const moving = Array.from({ length: askers }, () => move().catch(() => undefined));
    const seen: number[] = [];
    for (let second = 0; second < seconds; second += 1) {
      await jest.advanceTimersByTimeAsync(1000);
      seen.push(bytes);
    }
    stop.abort();
    await jest.advanceTimersByTimeAsync(1);
    await Promise.all(moving);
    return seen;
  }

  it.each([1, 4])("holds %d transfers together to its limit, second by second", async (askers) => {
    const pace = new Paced(parseTimetable("100K", "--bwlimit"), clock, london);
    const seen = await moved(pace, 20, askers);
    for (const [index, bytes] of seen.entries()) {
      const fair = (index + 1) * 100 * kib;
      expect(bytes).toBeLessThanOrEqual(fair + 50 * kib);
      expect(bytes).toBeGreaterThanOrEqual(fair - 50 * kib);
    }
  });

  it("changes in mid-transfer when spring takes the hour away in which a limit was to begin", async () => {
    const table = parseTimetable("Sun-01:30,10K Sun-03:00,200K", "--bwlimit");
    const seen = await moved(new Paced(table, clock, london), 30);
    // Ten seconds at the week's last limit, then it is 02:00 and 01:30 has gone by.
    expect(seen[9]).toBeGreaterThan(9 * 200 * kib);
    expect((seen[29] ?? 0) - (seen[10] ?? 0)).toBeLessThan(21 * 10 * kib);
    expect((seen[29] ?? 0) - (seen[10] ?? 0)).toBeGreaterThan(16 * 10 * kib);
  });

  it("changes in mid-transfer when autumn's second hour begins", async () => {
    jest.setSystemTime(new Date("2026-10-25T00:59:50Z"));
    const table = parseTimetable("Sun-01:30,10K Sun-03:00,200K", "--bwlimit");
    const seen = await moved(new Paced(table, clock, london), 30);
    expect(seen[9]).toBeLessThan(12 * 10 * kib);
    expect((seen[29] ?? 0) - (seen[10] ?? 0)).toBeGreaterThan(18 * 200 * kib);
  });

  it("saves nothing up while nothing moves", async () => {
    const pace = new Paced(parseTimetable("100K", "--bwlimit"), clock, london);
    await moved(pace, 1);
    await jest.advanceTimersByTimeAsync(3_600_000);
    expect((await moved(pace, 1))[0]).toBeLessThan(160 * kib);
  });

  it("lets who is interrupted go, and the next one move", async () => {
    const pace = new Paced(parseTimetable("1K", "--bwlimit"), clock, london);
    await pace.wait(100 * kib, signal);
    const stop = new AbortController();
    const waiting = pace.wait(1, stop.signal);
    stop.abort(new Error("stopped by the test"));
    await expect(waiting).rejects.toThrow("stopped by the test");
    const next = pace.wait(1, signal);
    await jest.advanceTimersByTimeAsync(101_000);
    await next;
  });
});

describe("parts in flight", () => {
  it("are halved once for all refusals of one moment, and come back one by one", () => {
    const concurrency = new AdaptiveConcurrency(8);
    for (let part = 0; part < 8; part += 1) concurrency.pressed(0, 10);
    expect(concurrency.now).toBe(4);
    concurrency.pressed(20, 30);
    expect(concurrency.now).toBe(2);
    for (let round = 0; round < 40; round += 1) concurrency.sent(mib, 40, 50);
    expect(concurrency.now).toBe(8);
  });

  it("are never none, and never more than was asked for", () => {
    const concurrency = new AdaptiveConcurrency(3);
    for (let time = 1; time < 20; time += 1) concurrency.pressed(time * 10, time * 10 + 1);
    expect(concurrency.now).toBe(1);
    for (let time = 0; time < 100; time += 1) concurrency.sent(mib, 1000, 1010);
    expect(concurrency.now).toBe(3);
  });

  it("become fewer when parts take far longer than they did at best", () => {
    const concurrency = new AdaptiveConcurrency(8);
    concurrency.sent(mib, 0, 400);
    concurrency.sent(mib, 500, 5000);
    expect(concurrency.now).toBe(6);
  });

  it("do not become fewer for a part that took long only by the measure of a disk", () => {
    const concurrency = new AdaptiveConcurrency(8);
    concurrency.sent(mib, 0, 1);
    concurrency.sent(mib, 10, 900);
    expect(concurrency.now).toBe(8);
  });
});

describe("the length of parts", () => {
  /** The length that parts settle at on a line of so many bytes a second for each part. */
  function settled(bytesPerSecond: number, most: number): number {
    const sizes = new PartSizes(most);
    for (let part = 0; part < 30; part += 1) {
      sizes.sent(sizes.now, (sizes.now / bytesPerSecond) * 1000);
    }
    return sizes.now;
  }

  it.each([
    ["50 KB/s in four parts", 12_500, 8 * mib, 64 * kib],
    ["50 KB/s", 50_000, 8 * mib, 200_000],
    ["1 MB/s", 1_000_000, 8 * mib, 4_000_000],
    ["1 GB/s", 1_000_000_000, 8 * mib, 8 * mib],
    ["1 GB/s and small parts wanted", 1_000_000_000, 256 * kib, 256 * kib],
    ["nothing and tiny parts wanted", 1, 10 * kib, 10 * kib],
  ])("on a line of %s", (_, speed, most, length) => {
    expect(settled(speed, most)).toBe(length);
  });

  it("at most doubles or halves with a part, and learns nothing from a file's short end", () => {
    const sizes = new PartSizes(8 * mib);
    expect(sizes.now).toBe(mib);
    sizes.sent(mib, 1);
    expect(sizes.now).toBe(2 * mib);
    sizes.sent(2 * mib, 1e9);
    expect(sizes.now).toBe(mib);
    sizes.sent(100, 1e9);
    expect(sizes.now).toBe(mib);
  });

  it("never again is what was refused as too long", () => {
    const sizes = new PartSizes(8 * mib);
    sizes.refused(mib);
    for (let part = 0; part < 10; part += 1) sizes.sent(sizes.now, 1);
    expect(sizes.now).toBe(mib / 2);
    for (let part = 0; part < 10; part += 1) sizes.refused(sizes.now);
    expect(sizes.now).toBe(64 * kib);
  });
});
