import { afterEach, beforeEach, describe, expect, it, jest } from "@jest/globals";
import { randomBytes } from "node:crypto";
import { writeFileSync } from "node:fs";
import { mkdir, rm, utimes } from "node:fs/promises";
import path from "node:path";
import { ExhibitError } from "../../src/evidence/errors.ts";
import type { Source } from "../../src/evidence/ports/source.ts";
import { fileSource } from "../../src/platform/file-source.ts";
import { makeClient, upload, uploadOf, type TestClient } from "../support/client.ts";
import { soon } from "../support/server.ts";

jest.setTimeout(30_000);

let client: TestClient;
beforeEach(async () => {
  client = await makeClient();
});
afterEach(async () => {
  await client.close();
});

/** A source that gives one file of a walk, and the others only when the first exhibit has arrived in the store. */
function slowAfterOne(source: Source): Source {
  let arrived: () => void = () => undefined;
  const firstArrival = new Promise<void>((resolve) => {
    arrived = resolve;
  });
  client.onConnect = (connection) => {
    const sealRecord = connection.register.sealRecord.bind(connection.register);
    Object.assign(connection.register, {
      sealRecord: async (...given: Parameters<typeof sealRecord>) => {
        const sealed = await sealRecord(...given);
        arrived();
        return sealed;
      },
    });
  };
  let given = 0;
  return {
    open: (location) => source.open(location),
    async *list(location, watcher) {
      for await (const entry of source.list(location, watcher)) {
        if (given > 0) await firstArrival;
        given += 1;
        yield entry;
      }
      await firstArrival;
    },
  };
}

describe("uploading while files are still being found", () => {
  it("sends the first before the second is found, and all in the end, in order", async () => {
    for (const name of ["c", "a", "b"]) await client.write(`cam/${name}.mp4`, randomBytes(100));
    const deps = { ...client.deps, source: slowAfterOne(client.deps.source) };
    const done = await upload(
      deps as TestClient["deps"],
      uploadOf([path.join(client.folder, "evidence", "cam")]),
      soon(),
    );
    expect(done.exhibits.map(({ reference, contents }) => [reference, contents[0]?.path])).toEqual([
      ["ABC/1", "cam/a.mp4"],
      ["ABC/2", "cam/b.mp4"],
      ["ABC/3", "cam/c.mp4"],
    ]);
    const planned = client.events.filter((event) => event.type === "planned");
    expect(planned[0]).toMatchObject({ files: 1, bytes: 100, isComplete: false });
    expect(planned.at(-1)).toMatchObject({ isComplete: true });
    expect(planned.reduce((sum, { files }) => sum + files, 0)).toBe(3);
  });

  it.each([
    ["a path where nothing is", "missing", "not-found.source"],
    ["a file that looks like another", "twin/a.mp4", "usage.invalid"],
  ])("fails for %s alone", async (_, second, code) => {
    const time = new Date("2026-11-25T08:00:00Z");
    const first = await client.write("a.mp4", "same size");
    const twin = await client.write("twin/a.mp4", "same SIZE");
    for (const file of [first, twin]) await utimes(file, time, time);
    const third = await client.write("z.mp4", "the last");
    const deps = { ...client.deps, source: slowAfterOne(client.deps.source) };
    const paths = [first, path.join(client.folder, "evidence", second), third];
    const outcomes: string[] = [];
    const done = await upload(deps as TestClient["deps"], uploadOf(paths), soon(), {
      onOutcome: ({ type }) => outcomes.push(type),
    });
    expect(done.exhibits.map(({ contents }) => contents[0]?.path)).toEqual(["a.mp4", "z.mp4"]);
    expect(done.failed).toMatchObject([{ code }]);
    expect(outcomes.sort()).toEqual(["exhibit", "exhibit", "failed"]);
    expect(client.deps.journal.openJobs()).toHaveLength(1);
  });
});

describe("the files of one exhibit", () => {
  const folder = (): string => path.join(client.folder, "evidence", "cam");
  beforeEach(async () => {
    // The file's name is in its bytes, so that a test sees which file a part is of.
    for (const name of ["a", "b", "c"]) {
      await client.write(`cam/${name}.mp4`, Buffer.alloc(100_000, name));
    }
  });
  const asked = (more = {}) => uploadOf([folder()], { oneExhibit: true, ...more });

  it("are on their way together, and in the record in their order", async () => {
    let seen: () => void = () => undefined;
    const second = new Promise<void>((resolve) => {
      seen = resolve;
    });
    client.onConnect = ({ store }) => {
      store.beforePart = async ({ bytes }) => {
        if (bytes[0] === "b".charCodeAt(0)) seen();
        // None of the first arrives before one of the second is on its way.
        if (bytes[0] === "a".charCodeAt(0)) await second;
      };
    };
    const { exhibits } = await upload(client.deps, asked({ concurrency: 4 }), soon());
    expect(exhibits[0]?.contents.map((content) => content.path)).toEqual([
      "cam/a.mp4",
      "cam/b.mp4",
      "cam/c.mp4",
    ]);
  });

  it("are all parked when one of them fails, and none is sealed", async () => {
    let failed = false;
    client.onConnect = ({ store }) => {
      store.beforePart = ({ bytes }) => {
        if (bytes[0] === "b".charCodeAt(0) && !failed) {
          failed = true;
          throw new ExhibitError("unavailable.no-space", "The store is full.");
        }
      };
    };
    const first = await upload(client.deps, asked({ concurrency: 2 }), soon());
    expect(first).toMatchObject({ exhibits: [], failed: [{ code: "unavailable.no-space" }] });
    const second = await upload(client.deps, asked({ concurrency: 2 }), soon());
    expect(second.exhibits).toMatchObject([{ reference: "ABC/1", files: 3 }]);
  });
});

describe("a folder that hangs while it is listed", () => {
  it("does not keep an upload from being stopped", async () => {
    await client.write("cam/a.mp4", randomBytes(100));
    const stop = new AbortController();
    const { source } = client.deps;
    const hanging: Source = {
      open: (location) => source.open(location),
      async *list(location, watcher) {
        yield* source.list(location, watcher);
        await new Promise(() => undefined);
      },
    };
    const sending = upload(
      { ...client.deps, source: hanging } as TestClient["deps"],
      uploadOf([path.join(client.folder, "evidence", "cam")]),
      stop.signal,
      {
        onOutcome: () => {
          stop.abort(new Error("stopped by the test"));
        },
      },
    );
    await expect(sending).rejects.toThrow("stopped by the test");
  });
});

describe("going on with a command of which some failed", () => {
  it("neither reads nor sends again what it had brought in, and tells of it with its receipt", async () => {
    const folder = path.join(client.folder, "evidence", "cam");
    for (const name of ["a", "b", "c"]) await client.write(`cam/${name}.mp4`, randomBytes(1000));
    client.onConnect = (connection) => {
      const sealRecord = connection.register.sealRecord.bind(connection.register);
      Object.assign(connection.register, {
        sealRecord: (...given: Parameters<typeof sealRecord>) =>
          given[0].reference === "ABC/2"
            ? Promise.reject(new ExhibitError("unavailable.no-space", "The store is full."))
            : sealRecord(...given),
      });
    };
    const first = await upload(client.deps, uploadOf([folder]), soon());
    expect(first.failed).toMatchObject([{ path: "cam/b.mp4", code: "unavailable.no-space" }]);
    client.onConnect = undefined;
    client.deps.source.bytesRead = 0;
    const second = await upload(client.deps, uploadOf([folder]), soon());
    expect(client.deps.source.bytesRead).toBe(1000);
    expect(second.failed).toEqual([]);
    expect(second.exhibits.map(({ reference, outcome }) => [reference, outcome])).toEqual([
      ["ABC/1", "already-present"],
      ["ABC/2", "uploaded"],
      ["ABC/3", "already-present"],
    ]);
    expect(second.exhibits[0]).toMatchObject({
      bytesSent: 0,
      bytesSkipped: 1000,
      receipt: first.exhibits[0]?.receipt,
      receiptPath: first.exhibits[0]?.receiptPath,
    });
  });

  it("does not take for there what the store, or another by its name, does not have", async () => {
    const folder = path.join(client.folder, "evidence", "cam");
    for (const name of ["a", "b"]) await client.write(`cam/${name}.mp4`, randomBytes(1000));
    const stop = new AbortController();
    const broken = upload(client.deps, uploadOf([folder], { concurrency: 1 }), stop.signal, {
      onOutcome: () => {
        stop.abort(new Error("stopped by the test"));
      },
    });
    await expect(broken).rejects.toThrow("stopped by the test");
    await rm(path.join(client.folder, "store", "01AB1234526"), { recursive: true });
    const told: string[] = [];
    const second = await upload(client.deps, uploadOf([folder]), soon(), {
      onOutcome: (outcome) => {
        if (outcome.type === "exhibit") told.push(outcome.outcome);
      },
    });
    expect(second.exhibits.map(({ outcome }) => outcome)).toEqual(["uploaded", "uploaded"]);
    expect(told).toEqual(["uploaded", "uploaded"]);
  });

  it("tells what became of each, also when more were brought in than wait at a time", async () => {
    const folder = path.join(client.folder, "evidence", "cam");
    for (let file = 0; file < 40; file += 1) await client.write(`cam/${file}.mp4`, `${file}`);
    const refused = (connection: Parameters<NonNullable<TestClient["onConnect"]>>[0]): void => {
      const sealRecord = connection.register.sealRecord.bind(connection.register);
      Object.assign(connection.register, {
        sealRecord: (...given: Parameters<typeof sealRecord>) =>
          given[0].reference === "ABC/40"
            ? Promise.reject(new ExhibitError("unavailable.no-space", "The store is full."))
            : sealRecord(...given),
      });
    };
    client.onConnect = refused;
    await upload(client.deps, uploadOf([folder]), soon());
    client.onConnect = undefined;
    const told: string[] = [];
    await upload(client.deps, uploadOf([folder]), soon(), {
      onOutcome: (outcome) => {
        if (outcome.type === "exhibit") told.push(outcome.outcome);
      },
    });
    expect(told.filter((outcome) => outcome === "already-present")).toHaveLength(39);
    expect(told.filter((outcome) => outcome === "uploaded")).toHaveLength(1);
  });

  it("leaves out what is gone since, and takes a file that was changed for another", async () => {
    const folder = path.join(client.folder, "evidence", "cam");
    const a = await client.write("cam/a.mp4", randomBytes(1000));
    const b = await client.write("cam/b.mp4", randomBytes(1000));
    const stop = new AbortController();
    const broken = upload(client.deps, uploadOf([folder], { concurrency: 1 }), stop.signal, {
      onOutcome: () => {
        stop.abort(new Error("stopped by the test"));
      },
    });
    await expect(broken).rejects.toThrow("stopped by the test");
    await rm(b);
    const second = await upload(client.deps, uploadOf([folder]), soon());
    expect(second.exhibits).toMatchObject([{ reference: "ABC/1", outcome: "already-present" }]);
    await client.write("cam/a.mp4", randomBytes(1000));
    const third = await upload(client.deps, uploadOf([a]), soon());
    expect(third.exhibits).toMatchObject([{ reference: "ABC/2", outcome: "uploaded" }]);
  });
});

describe("a folder of more names than are kept at a time", () => {
  it("is listed whole, in stretches that are in order", async () => {
    const folder = path.join(client.folder, "many");
    await mkdir(folder);
    const names = Array.from({ length: 10_050 }, (_, at) => `r${String(at).padStart(5, "0")}`);
    for (const name of names) writeFileSync(path.join(folder, name), "");
    const found: string[] = [];
    const watcher = { skipped: () => undefined, unlisted: () => undefined };
    for await (const entry of fileSource().list(folder, watcher)) {
      found.push(path.basename(entry.path));
    }
    expect([...found].sort()).toEqual(names);
    const stretch = found.slice(0, 10_000);
    expect(stretch).toEqual([...stretch].sort());
  });
});
