import { once } from "node:events";
import { describe, expect, it } from "@jest/globals";
import { instantOf } from "../../src/evidence/wall-clock.ts";
import { fileLine, wholeLine } from "../../src/cli/ui/progress/bars.ts";
import { Tally, type RunningFile } from "../../src/cli/ui/progress/tally.ts";
import { openProgress } from "../../src/cli/ui/progress.ts";
import { shortened, visible } from "../../src/cli/ui/visible.ts";
import {
  formatDuration,
  formatSize,
  parseDuration,
  parseSize,
} from "../../src/evidence/quantities.ts";
import { fakeTerminal } from "../support/cli.ts";

describe("sizes and durations", () => {
  it.each([
    ["4096", 4096],
    ["8M", 8 * 1024 ** 2],
    ["8MiB", 8 * 1024 ** 2],
    ["200g", 200 * 1024 ** 3],
    ["1.5T", 1.5 * 1024 ** 4],
    ["0", 0],
  ])("%s is %i bytes", (text, bytes) => {
    expect(parseSize(text, "x")).toBe(bytes);
  });

  it.each(["", "M", "-1", "1e9", "8 M 8", "99999999999999T", "0x10", "١"])(
    "%p is no size",
    (text) => {
      expect(() => parseSize(text, "--quota")).toThrow("--quota must be a size");
    },
  );

  it.each([
    ["45s", 45],
    ["90m", 5400],
    ["12h", 43_200],
    ["7d", 604_800],
    ["2W", 1_209_600],
  ])("%s is %i seconds", (text, seconds) => {
    expect(parseDuration(text, "x")).toBe(seconds);
  });

  it.each(["", "7", "d", "0d", "-1d", "1.5h", "7 days", "9999999999d"])(
    "%p is no duration",
    (text) => {
      expect(() => parseDuration(text, "--expires")).toThrow("--expires must be a duration");
    },
  );

  it.each([
    [0, "0 bytes"],
    [1, "1 byte"],
    [926.34, "926 bytes"],
    [1023, "1023 bytes"],
    [1536, "1.50 KiB"],
    [38_000_000_000, "35.4 GiB"],
  ])("%i bytes are told as %s", (bytes, words) => {
    expect(formatSize(bytes)).toBe(words);
  });

  it.each([
    [0, "0 s"],
    [59.6, "1 min"],
    [130, "2 min 10 s"],
    [7200, "2 h"],
    [90_061, "1 d 1 h"],
  ])("%d seconds are told as %s", (seconds, words) => {
    expect(formatDuration(seconds)).toBe(words);
  });
});

describe("times", () => {
  it.each([
    ["2026-11-21T14:05:00Z", "Europe/London", "2026-11-21T14:05:00Z"],
    ["2026-11-21T14:05:00+02:00", "UTC", "2026-11-21T14:05:00+02:00"],
    ["2026-11-21 14:05", "Europe/London", "2026-11-21T14:05:00Z"],
    ["2026-07-01 14:05:30.5", "Europe/London", "2026-07-01T14:05:30.500+01:00"],
    ["2026-07-01T00:30", "Asia/Kolkata", "2026-07-01T00:30:00+05:30"],
    ["2026-07-01 23:59", "America/St_Johns", "2026-07-01T23:59:00-02:30"],
  ])("%s in %s is %s", (text, zone, instant) => {
    expect(instantOf(text, zone, "--recorded-from")).toBe(instant);
  });

  it.each([
    ["2026-03-29 01:30", "showed 2026-03-29 01:30 never"],
    ["2026-10-25 01:30", "showed 2026-10-25 01:30 twice"],
    ["2026-02-30 10:00", "is not a time"],
    ["21/11/2026 14:05", "is not a time"],
  ])("%s in London is refused: %s", (text, words) => {
    expect(() => instantOf(text, "Europe/London", "--recorded-from")).toThrow(words);
  });
});

describe("text from elsewhere", () => {
  it.each([
    ["plain ünïcödé 🚌", "plain ünïcödé 🚌"],
    ["a\nb\tc", "a\\u{A}b\\u{9}c"],
    ["\u001b[2J", "\\u{1B}[2J"],
    ["\u202Egpj.exe", "\\u{202E}gpj.exe"],
    ["\u2066x\u2069\u200F", "\\u{2066}x\\u{2069}\\u{200F}"],
    ["\uD800", "\\u{D800}"],
  ])("%j is shown as %s", (text, shown) => {
    expect(visible(text)).toBe(shown);
  });

  it("is shortened from its middle, whole characters at a time", () => {
    expect(shortened("camera-front-0001.mp4", 11)).toBe("camer…1.mp4");
    expect(shortened("👩‍👩‍👧‍👦👩‍👩‍👧‍👦👩‍👩‍👧‍👦👩‍👩‍👧‍👦", 3)).toBe("👩‍👩‍👧‍👦…👩‍👩‍👧‍👦");
    expect(shortened("short", 11)).toBe("short");
  });
});

describe("progress", () => {
  const MiB = 1024 ** 2;

  function half(): Tally {
    const tally = new Tally();
    tally.take({ type: "planned", files: 2, bytes: 100 * MiB, isComplete: true }, 0);
    tally.take({ type: "file-started", path: "a.mp4", sizeBytes: 80 * MiB }, 0);
    tally.take({ type: "part-done", path: "a.mp4", bytes: 8 * MiB, sent: false }, 1000);
    tally.take({ type: "part-done", path: "a.mp4", bytes: 32 * MiB, sent: true }, 4000);
    return tally;
  }
  const plain = (text: string): string => text;
  function onlyFile(tally: Tally): RunningFile {
    const [file] = tally.running.values();
    if (file === undefined) throw new Error("No file is running.");
    return file;
  }

  it("tells how much, how fast and how long", () => {
    const tally = half();
    expect(tally.sentBytes).toBe(32 * MiB);
    expect(wholeLine(tally, 4000, 100, plain)).toBe(
      "Total  ██████████░░░░░░░░░░░░░░  40 %  40.0 MiB of 100.0 MiB  0 of 2 files  10.0 MiB/s  6 s left",
    );
    expect(fileLine(onlyFile(tally), 100)).toBe(
      "       ████████████░░░░░░░░░░░░  50 %  sending   80.0 MiB  a.mp4",
    );
  });

  it("goes on through proving, what was there, and failure", () => {
    const tally = half();
    tally.take({ type: "proving", path: "a.mp4", provedBytes: 20 * MiB }, 5000);
    expect(tally.running.get("a.mp4")?.phase).toBe("proving");
    tally.take({ type: "file-done", path: "a.mp4", proof: "whole" }, 6000);
    tally.take({ type: "file-started", path: "b.mp4", sizeBytes: 20 * MiB }, 6000);
    tally.take({ type: "file-failed", path: "b.mp4", message: "gone" }, 6000);
    expect([tally.fraction(), tally.filesDone, tally.filesFailed]).toEqual([1, 1, 1]);
  });

  it("says what it waits for, and that it is stopping", () => {
    const tally = half();
    tally.take({ type: "waiting", reason: "The server is busy", seconds: 9 }, 4000);
    expect(wholeLine(tally, 5000, 200, plain)).toContain("The server is busy, again in 8 s");
    tally.stopping = true;
    expect(wholeLine(tally, 5000, 200, plain)).toContain("Ctrl-C again leaves at once");
  });

  it.each([
    [80, "Total  ███░░░░  40 %  40.0 MiB of 100.0 MiB  0 of 2 files  10.0 MiB/s  6 s left"],
    [60, "Total  █████░░░░░░░░  40 %  40.0 MiB of 100.0 MiB  6 s left"],
    [40, "Total  ██████░░░░░░░░░░  40 %  6 s left"],
  ])("of %i columns keeps the time that is left, and each file's name", (columns, line) => {
    const tally = half();
    expect(wholeLine(tally, 4000, columns, plain)).toBe(line);
    expect(fileLine(onlyFile(tally), columns)).toMatch(/ a\.mp4$/);
  });

  it.each([20, 40, 60, 100])("never fills a line of %i columns", (columns) => {
    const tally = half();
    expect(wholeLine(tally, 4000, columns, plain).length).toBeLessThan(Math.max(columns, 39));
    expect(fileLine(onlyFile(tally), columns).length).toBeLessThan(columns);
  });

  it("is redrawn on a terminal and leaves nothing behind; names cannot steer it", async () => {
    const { terminal, err } = fakeTerminal({ live: true });
    const progress = await openProgress(
      terminal,
      "auto",
      "Sending",
      new AbortController().signal,
      false,
    );
    progress.onEvent({ type: "planned", files: 1, bytes: 10, isComplete: true });
    progress.onEvent({ type: "file-started", path: "\u001b[2Jx", sizeBytes: 10 });
    while (!err().includes("\\u{1B}[2Jx")) await once(terminal.error, "written");
    progress.stop();
    progress.stop();
    expect(err()).not.toContain("\u001b[2J");
    // The cursor is back.
    expect(err().lastIndexOf("\u001b[?25h")).toBeGreaterThan(err().lastIndexOf("\u001b[?25l"));
  });

  it("is plain lines elsewhere", async () => {
    const { terminal, err } = fakeTerminal();
    const progress = await openProgress(
      terminal,
      "auto",
      "Sending",
      new AbortController().signal,
      false,
    );
    progress.onEvent({ type: "planned", files: 1, bytes: 10, isComplete: true });
    progress.onEvent({ type: "file-started", path: "a\nb", sizeBytes: 10 });
    progress.onEvent({ type: "waiting", reason: "The store is busy.", seconds: 5 });
    progress.onEvent({ type: "file-done", path: "a\nb", proof: "whole" });
    progress.stop();
    expect(err()).toBe(
      "Sending 1 file, 10 bytes.\nThe store is busy; trying again in 5 s.\na\\u{A}b: done, proof: whole.\n",
    );
  });
});
