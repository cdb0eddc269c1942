import { mkdir, readFile, rm, stat, truncate, writeFile } from "node:fs/promises";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { Interrupted } from "../../src/cli/interrupted.ts";
import { isInSample } from "../../src/evidence/sample.ts";
import { newMachine, type Machine, type Ran } from "../support/cli.ts";

describe("a sample", () => {
  const ids = Array.from({ length: 4000 }, (_, index) => `exhibit-${index}`);

  it.each([2, 3, 0.7, 30, 100])("of %d percent has about as many of them", (percent) => {
    const chosen = ids.filter((id) => isInSample({ percent, seed: 7 }, id)).length;
    expect(chosen / ids.length).toBeCloseTo(percent / 100, 1);
    expect(chosen).toBeGreaterThan(0);
  });

  it.each([
    [2, 50],
    [25, 4],
    [100, 1],
  ])("of %d percent and its next: %d in a row have each exhibit once", (percent, runs) => {
    for (const first of [0, 1, 12_345]) {
      for (const id of ids) {
        const seeds = Array.from({ length: runs }, (_, run) => first + run);
        expect(seeds.filter((seed) => isInSample({ percent, seed }, id))).toHaveLength(1);
      }
    }
  });
});

describe("exhibit verify --sample", () => {
  const count = 12;
  let machine: Machine;
  let nas: string;
  const at = (...names: string[]): string => path.join(machine.folder, ...names);
  const verify = (...more: string[]): Promise<Ran> =>
    machine.exhibit(["verify", "--sample", ...more]);
  const contentOf = (number: number): string =>
    at("nas", "C1", `GN_${number}`, `GN_${number}-0001.bin`);

  beforeAll(async () => {
    machine = await newMachine();
    nas = at("nas");
    await mkdir(nas);
    await mkdir(at("in"));
    for (let number = 1; number <= count; number += 1) {
      await writeFile(at("in", `${String(number).padStart(2, "0")}.bin`), `content ${number}`);
    }
    await machine.exhibit(["store", "add", "nas", nas]);
    const sent = await machine.exhibit([
      ...["upload", at("in"), "--case", "C1", "--initials", "GN"],
    ]);
    expect(sent.code).toBe(0);
    await writeFile(at("other.bin"), "in another case");
    await machine.exhibit(["upload", at("other.bin"), "--case", "C2", "--initials", "GN"]);
  });
  afterAll(() => rm(machine.folder, { recursive: true, force: true }));

  it("reads a part of the store again, the same part for the same seed", async () => {
    const quarters: unknown[] = [];
    for (const seed of ["0", "1", "2", "3"]) {
      const ran = await verify("25%", "--seed", seed, "--json");
      expect([ran.code, ran.err]).toEqual([0, ""]);
      expect(ran.json()).toMatchObject({
        schema: "exhibit.verify-sample/1",
        ...{ percent: 25, seed: Number(seed), exhibits: count + 1, bad: 0, failed: [] },
      });
      quarters.push(ran.json()["checked"]);
    }
    expect((quarters as number[]).reduce((sum, one) => sum + one)).toBe(count + 1);
    const all = await verify("100%", "--case", "c1");
    expect([all.code, all.out]).toEqual([0, ""]);
    expect(all.err).toContain(`✔ ${count} of ${count} exhibits read again`);
  });

  it("finds what has changed, goes through the others, and says so again when it is repeated", async () => {
    await writeFile(contentOf(3), "CONTENT 3");
    await rm(contentOf(5));
    const report = at("report.ndjson");
    const ran = await verify("100%", "--seed", "4", "--report", report);
    expect(ran.code).toBe(6);
    expect(ran.err).toContain("C1:GN/3 in/03.bin: in/03.bin in the store is not what");
    expect(ran.err).toMatch(/C1:GN\/5 in\/05\.bin: .*not-found\.content/);
    expect((await stat(report)).mode & 0o777).toBe(0o600);
    const lines = (await readFile(report, "utf8")).trimEnd().split("\n");
    expect(lines).toHaveLength(1 + count + 1);
    expect(JSON.parse(lines[0] ?? "")).toMatchObject({ store: `file://${nas}`, seed: 4 });
    const again = await verify("100", "--report", report, "--json");
    expect([again.code, again.json()]).toMatchObject([
      6,
      { seed: 4, before: count + 1, checked: 0, bad: 2, failed: [{}, {}] },
    ]);
    await writeFile(contentOf(3), "content 3");
    await writeFile(contentOf(5), "content 5");
  });

  it("goes on where it was stopped, behind a line that was cut off, too", async () => {
    const report = at("stopped.ndjson");
    const stop = new AbortController();
    const stopping = machine.exhibit(
      ["verify", "--sample", "100%", "--report", report, "--progress", "json"],
      { signal: stop.signal },
    );
    stop.abort(new Interrupted("SIGINT"));
    const stopped = await stopping;
    expect([stopped.code, stopped.err]).toEqual([
      130,
      expect.stringContaining("goes on with what is left"),
    ]);
    await rm(report, { force: true });
    expect((await verify("100%", "--seed", "1", "--report", report)).code).toBe(0);
    const whole = await readFile(report, "utf8");
    await truncate(report, whole.length - 10);
    const ran = await verify("100%", "--report", report, "--json");
    expect([ran.code, ran.json()]).toMatchObject([0, { before: count, checked: 1, bad: 0 }]);
    const mended = (await readFile(report, "utf8")).trimEnd().split("\n");
    expect(mended.map((line) => (JSON.parse(line) as { id?: string }).id)).toEqual(
      whole
        .trimEnd()
        .split("\n")
        .map((line) => (JSON.parse(line) as { id?: string }).id),
    );
  });

  it.each([
    ["an exhibit, too", ["2%", "C1:GN/1"], 2, "takes no exhibit"],
    ["no share", ["two"], 2, "--sample must be a share in percent"],
    ["none of it", ["0%"], 2, "--sample must be a share in percent"],
    ["more than all", ["101%"], 2, "--sample must be a share in percent"],
    ["a seed in words", ["2%", "--seed", "x"], 2, "--seed must be a whole number"],
    ["a case that is none", ["2%", "--case", " "], 2, "--case"],
    ["a case that holds nothing", ["100%", "--case", "C3"], 5, "so nothing was checked"],
  ])("does not take %s", async (_, argv, code, words) => {
    const ran = await verify(...argv);
    expect([ran.code, ran.err]).toEqual([code, expect.stringContaining(words)]);
  });

  it.each([
    ["nothing", []],
    ["a seed without a sample", ["C1:GN/1", "--seed", "1"]],
  ])("verify does not take %s", async (_, argv) => {
    expect((await machine.exhibit(["verify", ...argv])).code).toBe(2);
  });

  it("touches no file that is no report of this sample", async () => {
    const report = at("mine.txt");
    for (const text of ["my notes", "my notes\n", '{"schema":"exhibit.upload/1"}\n']) {
      await writeFile(report, text);
      const ran = await verify("2%", "--report", report);
      expect([ran.code, await readFile(report, "utf8")]).toEqual([8, text]);
    }
    await rm(report);
    await verify("2%", "--seed", "1", "--report", report);
    const ran = await verify("2%", "--seed", "2", "--report", report);
    expect([ran.code, ran.err]).toEqual([8, expect.stringContaining("another sample")]);
  });
});
