import { copyFile, mkdtemp, readdir, rm, stat, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import type { ExhibitPlan } from "../../src/evidence/ports/upload-queue.ts";
import { uploadQueues, type FolderOfQueues } from "../../src/platform/upload-queues.ts";

let folder = "";
let queues: FolderOfQueues;
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "exhibit-queue-"));
  queues = uploadQueues(path.join(folder, "queues"));
});
afterEach(async () => {
  queues.close();
  await rm(folder, { recursive: true });
});

/** A plan of one file: where it lies, and what tells it from an earlier state of the same file. */
function plan(location: string, version = "1", sourceId = `auto:${location}`): ExhibitPlan {
  const file = { sizeBytes: 10, modifiedAtMs: 0, pathBytes: undefined, path: location };
  return { path: location, sourceId, totalBytes: 10, files: [{ ...file, location, version }] };
}
const paths = (plans: readonly { plan: ExhibitPlan }[]): string[] =>
  plans.map((queued) => queued.plan.path);

/** Opens the queue of one command as a new run of it would. */
const reopen = () => {
  queues.close();
  return queues.open("job-1");
};

describe("the queue of an upload", () => {
  it("hands out each plan once, in the order in which it was found, while more are added", () => {
    const queue = queues.open("job-1");
    queue.add([plan("c"), plan("a")], false);
    expect(paths(queue.take(1))).toEqual(["c"]);
    queue.add([plan("b")], false);
    expect(paths(queue.take(10))).toEqual(["a", "b"]);
    expect(queue.take(10)).toEqual([]);
    queue.add([plan("d")], false);
    const [only] = queue.take(10);
    // What is undefined is not there in JSON.
    expect(only?.plan).toEqual(JSON.parse(JSON.stringify(plan("d"))));
  });

  it("counts a file that is found twice once, and refuses another with the same source id", () => {
    const queue = queues.open("job-1");
    expect(queue.add([plan("a"), plan("a"), plan("b", "1", "auto:a")], true)).toEqual([
      plan("b", "1", "auto:a"),
    ]);
    expect(queue.counts()).toMatchObject({ exhibits: 1, files: 1, bytes: 10 });
    expect(paths(queue.take(10))).toEqual(["a"]);
  });

  it.each([true, false])(
    "adds several or none, and counts none then (repeated: %s)",
    (repeated) => {
      const queue = queues.open("job-1");
      const unwritable = { ...plan("b"), totalBytes: 10n as unknown as number };
      expect(() => queue.add([plan("a"), unwritable], repeated)).toThrow(TypeError);
      expect(queue.counts()).toMatchObject({ exhibits: 0, files: 0, bytes: 0 });
      queue.add([plan("a"), plan("b")], repeated);
      expect(paths(queue.take(10))).toEqual(["a", "b"]);
      expect(queue.counts()).toMatchObject({ exhibits: 2, files: 2, bytes: 20 });
    },
  );

  it("gives outcomes of each kind in the order of the plans, whenever they were settled, notes behind them", () => {
    const queue = queues.open("job-1");
    queue.add([plan("a"), plan("b"), plan("c"), plan("d")], false);
    queue.note({ state: "failed", outcome: "unlisted" });
    queue.note({ state: "skipped", outcome: "link" });
    const [a, b, c, d] = queue.take(10).map(({ place }) => place);
    queue.settle([
      { place: d ?? 0, state: "done", outcome: "D" },
      { place: b ?? 0, state: "failed", outcome: "B" },
    ]);
    queue.settle([
      { place: a ?? 0, state: "done", outcome: "A" },
      { place: c ?? 0, state: "done", outcome: "C" },
    ]);
    const said = (state: "done" | "failed" | "skipped") => [...queue.outcomes(state)];
    expect([said("done"), said("failed"), said("skipped")]).toEqual([
      ["A", "C", "D"],
      ["B", "unlisted"],
      ["link"],
    ]);
    expect(queue.counts()).toMatchObject({ exhibits: 4, done: 3, failed: 2, skipped: 1 });
  });

  it.each<[string, ExhibitPlan, unknown]>([
    ["is the same", plan("a"), "A"],
    ["was changed", plan("a", "2"), undefined],
    ["was changed, and is called otherwise by its submitter", plan("a", "2", "auto:x"), undefined],
    ["lies elsewhere", plan("elsewhere/a", "1", "auto:a"), undefined],
  ])("hands out in the next run, with what was done, a file that %s", (_, found, before) => {
    const first = queues.open("job-1");
    first.add([plan("a")], false);
    first.settle(first.take(1).map(({ place }) => ({ place, state: "done", outcome: "A" })));
    const second = reopen();
    expect(second.add([found], false)).toEqual([]);
    expect([...second.outcomes("done")]).toEqual([]);
    expect(second.counts()).toMatchObject({ exhibits: 1, done: 0, files: 1 });
    const taken = second.take(10);
    expect(taken.map((queued) => queued.before)).toEqual([before]);
    second.settle(taken.map(({ place }) => ({ place, state: "done", outcome: "B" })));
    expect([...second.outcomes("done")]).toEqual(["B"]);
  });

  it("begins again with what waited or failed, and only when it is found again", () => {
    const first = queues.open("job-1");
    first.add([plan("waits"), plan("fails"), plan("gone")], true);
    const [, fails] = first.take(2);
    first.settle([{ place: fails?.place ?? 0, state: "failed", outcome: "F" }]);
    first.note({ state: "failed", outcome: "unlisted" });
    const second = reopen();
    expect(second.take(10)).toEqual([]);
    expect([...second.outcomes("failed")]).toEqual([]);
    second.add([plan("fails"), plan("waits")], true);
    expect(paths(second.take(10))).toEqual(["fails", "waits"]);
    expect(second.counts()).toMatchObject({ exhibits: 2, failed: 0 });
  });

  it("settles several or none", () => {
    const queue = queues.open("job-1");
    queue.add([plan("a"), plan("b")], false);
    const [a, b] = queue.take(2).map(({ place }) => place);
    const loop: { self?: unknown } = {};
    loop.self = loop;
    expect(() => {
      queue.settle([
        { place: a ?? 0, state: "done", outcome: "A" },
        { place: b ?? 0, state: "done", outcome: loop },
      ]);
    }).toThrow("circular");
    expect([...queue.outcomes("done")]).toEqual([]);
    queue.settle([{ place: a ?? 0, state: "done", outcome: "A" }]);
    expect([...queue.outcomes("done")]).toHaveLength(1);
  });
});

describe("a queue's file", () => {
  const files = async () => (await readdir(path.join(folder, "queues"))).sort();

  it("is for this user alone, stays when the queue is closed, and goes when it is not needed any more", async () => {
    queues.open("job-1");
    const file = path.join(folder, "queues", "job-1.sqlite");
    expect((await stat(file)).mode & 0o077).toBe(0);
    const queue = reopen();
    expect(await files()).toContain("job-1.sqlite");
    queue.discard();
    queue.close();
    expect(await files()).toEqual([]);
  });

  it.each([
    ["is no database", "not a database, and longer than the header of one would be ".repeat(30)],
    ["is cut off", "SQLite format 3\0".padEnd(100, "x")],
  ])("is made anew when it %s", async (_, content) => {
    queues.open("other");
    await writeFile(path.join(folder, "queues", "job-1.sqlite"), content);
    const queue = queues.open("job-1");
    queue.add([plan("a")], true);
    expect(paths(queue.take(1))).toEqual(["a"]);
  });

  it("is removed when nobody went on with it for a month", async () => {
    queues.open("old");
    queues.close();
    // A copy, since a closed database is written once more when it is collected, at any moment.
    const old = path.join(folder, "queues", "older.sqlite");
    await copyFile(path.join(folder, "queues", "old.sqlite"), old);
    const time = new Date(Date.now() - 31 * 86_400_000);
    await utimes(old, time, time);
    queues.open("job-1");
    expect(await files()).not.toContain("older.sqlite");
  });
});
