import { randomInt } from "node:crypto";
import { readFile, mkdtemp, rm } from "node:fs/promises";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it, beforeEach, afterEach } from "@jest/globals";
import { checkCustody } from "../../../src/evidence/custody.ts";
import { ExhibitError } from "../../../src/evidence/errors.ts";
import type { GroupedContent } from "../../../src/evidence/ports/grouped-content.ts";
import type { SealedExhibit } from "../../../src/evidence/ports/register.ts";
import { unverifiedPayload } from "../../../src/evidence/seal.ts";
import { registerOf } from "../../../src/stores/server/register.ts";
import { storeOf } from "../../../src/stores/server/store.ts";
import { recordOf } from "../../support/sending.ts";
import { soon, startServer, type Person, type TestServer, enrol } from "../../support/server.ts";
import { bundlesFor, smallExhibits, codes } from "../../support/small-exhibits.ts";
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { tmpdir } from "node:os";
import { setTimeout as pause } from "node:timers/promises";
import { freePort } from "../../support/free-port.ts";
import { listening, program, stop } from "../../support/kill-and-resume.ts";

describe("what fails in the middle", () => {
  let failing: TestServer;
  let person: Person;
  /** The group of writes, from now on, that is made and then said to have failed. */
  let failsAt = Number.POSITIVE_INFINITY;

  beforeAll(async () => {
    let real: GroupedContent | undefined;
    const grouped: GroupedContent = {
      putAll: async (files, signal) => {
        const stored = await real?.putAll(files, signal);
        failsAt -= 1;
        if (failsAt === 0) throw new ExhibitError("unavailable.store", "The disk is gone.");
        return stored ?? [];
      },
      occupied: async (...given) => (await real?.occupied(...given)) ?? new Set(),
    };
    failing = await startServer({ wrap: (deps) => ((real = deps.grouped), { ...deps, grouped }) });
    person = await failing.enrol("partner");
  });
  afterAll(() => failing.stop());

  const first = { files: 1, documents: 2 };
  it.each([
    ["files", "the same bundle"],
    ["files", "each exhibit sent by itself"],
    ["files", "another record"],
    ["documents", "the same bundle"],
    ["documents", "each exhibit sent by itself"],
    ["documents", "reserving again"],
  ] as const)("after the %s have their names is repaired by %s", async (written, by) => {
    const exhibits = await smallExhibits(person, 5);
    failsAt = first[written];
    const bundles = bundlesFor(person);
    await expect(bundles.sendAll(exhibits, soon())).rejects.toMatchObject({
      code: "unavailable.store",
    });
    const register = registerOf(person.session);
    for (const { entry } of exhibits) {
      expect((await register.find({ kind: "id", id: entry.id }, soon()))[0]?.state).toBe("open");
    }
    if (by === "each exhibit sent by itself") {
      for (const { entry, key, bytes, sha256, record } of exhibits) {
        if (written === "files") await storeOf(person.session).put(key, bytes, sha256, soon());
        const sealed = await register.sealRecord(entry, record, new Map(), soon());
        expect(sealed.sealedRecord).toEqual(record);
      }
    } else if (by === "reserving again") {
      const reservations = exhibits.map(({ entry, record }) => ({
        case: entry.case,
        reference: undefined,
        initials: undefined,
        sourceId: (unverifiedPayload(record) as { sourceId: string }).sourceId,
        totalBytes: 1000,
      }));
      const entries = await bundles.reserveAll(reservations, soon());
      expect(entries).toEqual(exhibits.map(({ entry }) => ({ ...entry, state: "sealed" })));
    } else if (by === "another record") {
      const others = await Promise.all(
        exhibits.map(async (one) => {
          const { sourceId } = unverifiedPayload(one.record) as { sourceId: string };
          const title = "Made again after the state was lost";
          return { ...one, record: await recordOf(person, one.entry, sourceId, [one], { title }) };
        }),
      );
      expect(codes(await bundles.sendAll(others, soon()))).toEqual(others.map(() => "sealed"));
      return;
    }
    const sealed = await bundles.sendAll(exhibits, soon());
    expect(codes(sealed)).toEqual(exhibits.map(() => "sealed"));
    for (const { entry } of exhibits) {
      expect(checkCustody(await register.custody(entry, soon())).events).toHaveLength(5);
    }
  });
});

describe("a server of its own process", () => {
  let folder: string;
  let running: ChildProcess | undefined;
  beforeEach(async () => {
    folder = await mkdtemp(path.join(tmpdir(), "exhibit-bundles-"));
  });
  afterEach(async () => {
    if (running !== undefined) await stop(running);
    await rm(folder, { recursive: true, force: true });
  });

  /** Starts the built server, if need be under another program; the same port each time. */
  async function serve(port: number, under: readonly string[] = []): Promise<void> {
    const [command = "", ...argv] = [
      ...[...under, process.execPath, program, "serve", "--json", "--port", String(port)],
      ...["--data", path.join(folder, "data"), "--invitation-file", path.join(folder, "code")],
    ];
    running = spawn(command, argv, { stdio: ["ignore", "pipe", "ignore"] });
    await listening(running);
  }

  async function enrolled(port: number): Promise<Person> {
    const code = await readFile(path.join(folder, "code"), "utf8");
    return enrol(`http://127.0.0.1:${port}`, code.trim());
  }

  it("killed again and again loses nothing that it has acknowledged, and has nothing twice", async () => {
    const port = await freePort();
    await serve(port);
    const officer = await enrolled(port);
    const exhibits = await smallExhibits(officer, 240, { case: "KILL/9" });
    const bundles = Array.from({ length: 8 }, (_, at) => exhibits.slice(at * 30, at * 30 + 30));
    const officers = bundlesFor(officer);
    const receipts = new Map<string, string>();
    const note = (answers: readonly (SealedExhibit | ExhibitError)[]): void => {
      for (const answer of answers) {
        if (answer instanceof ExhibitError) continue;
        const text = JSON.stringify(answer.sealedReceipt);
        expect(receipts.get(answer.id) ?? text).toBe(text);
        receipts.set(answer.id, text);
      }
    };
    for (let kill = 0; kill < 3; kill += 1) {
      const sending = bundles.map((bundle) =>
        officers.sendAll(bundle, soon()).then(note, () => undefined),
      );
      // From the first moment to about when the last answer comes.
      await pause(randomInt(0, 120 * (kill + 1)));
      const gone = once(running ?? process, "close");
      running?.kill("SIGKILL");
      await gone;
      await Promise.all(sending);
      await serve(port);
    }
    for (const bundle of bundles) note(await officers.sendAll(bundle, soon()));
    expect(receipts.size).toBe(exhibits.length);
    const content = path.join(folder, "data", "content");
    for (const { key, bytes } of exhibits) {
      expect((await readFile(path.join(content, key))).equals(bytes)).toBe(true);
    }
    const register = registerOf(officer.session);
    const listed: string[] = [];
    for await (const { id, state } of register.list("KILL/9", soon()))
      listed.push(`${id} ${state}`);
    expect(listed.sort()).toEqual(exhibits.map(({ entry }) => `${entry.id} sealed`).sort());
    for (const { entry } of exhibits.slice(0, 10)) {
      const { events } = checkCustody(await register.custody(entry, soon()));
      expect(events.map(({ verb }) => verb)).toEqual([
        ...["reserved", "received", "proved", "collected", "sealed"],
      ]);
      expect((await register.read(entry, soon())).sealedReceipt).toEqual(
        JSON.parse(receipts.get(entry.id) ?? ""),
      );
    }
  });

  it("acknowledges nothing before it is durable: files, their names, the decision, the documents, their names", async () => {
    const port = await freePort();
    const trace = path.join(folder, "trace");
    const calls = "trace=write,writev,link,syncfs,fsync,fdatasync";
    await serve(port, ["strace", "-D", "-f", "-s", "2000", "-e", calls, "-o", trace]);
    const officer = await enrolled(port);
    const bundles = bundlesFor(officer);
    // The first one makes folders, and finds out how the file system is flushed.
    for (const count of [1, 3]) {
      await bundles.sendAll(await smallExhibits(officer, count), soon());
    }
    if (running !== undefined) await stop(running);
    const steps = stepsIn(await readFile(trace, "utf8"));
    const answered = steps.lastIndexOf("answered") + 1;
    expect(steps.slice(steps.lastIndexOf("reserved") + 1, answered)).toEqual([
      ...["files flushed", "file named", "names flushed", "committed"],
      ...["files flushed", "document named", "names flushed", "committed", "answered"],
    ]);
  });

  /** What a trace shows, in order; the same thing several times in a row once. */
  function stepsIn(trace: string): string[] {
    const steps: string[] = [];
    for (const line of trace.split("\n")) {
      const step = stepOf(line, steps.at(-1) ?? "");
      if (step !== undefined && step !== steps.at(-1)) steps.push(step);
    }
    return steps;
  }

  function stepOf(line: string, before: string): string | undefined {
    if (/syncfs\(.*= 0$|<\.\.\. syncfs resumed>.*= 0$/.test(line)) {
      return before.endsWith("named") ? "names flushed" : "files flushed";
    }
    if (/ link\(.*-0001\.mp4/.test(line)) return "file named";
    if (/ link\(.*\.(?:jsonl|json)"/.test(line)) return "document named";
    if (/f(?:data)?sync\(.*= 0$|<\.\.\. f(?:data)?sync resumed>.*= 0$/.test(line))
      return "committed";
    if (/answers.*receipt/.test(line)) return "answered";
    return line.includes("answers") ? "reserved" : undefined;
  }
});
