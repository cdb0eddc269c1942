import { describe, expect, it } from "@jest/globals";
import { EventEmitter } from "node:events";
import path from "node:path";
import { folderAddress, folderOf } from "../../src/evidence/folder-address.ts";
import { outwaitingScanners } from "../../src/evidence/held-files.ts";
import { pathsOn } from "../../src/platform/paths.ts";
import { destinationSegments } from "../../src/platform/destination-names.ts";
import { meantArguments } from "../../src/main/windows-arguments.ts";
import { watchSignals } from "../../src/main/signals.ts";
import { Interrupted } from "../../src/cli/interrupted.ts";

describe("arguments on Windows", () => {
  it.each([
    ['C:\\footage"', "C:\\footage\\"],
    ['\\\\nas\\cctv\\day 1"', "\\\\nas\\cctv\\day 1\\"],
    ['--to=D:\\out"', "--to=D:\\out\\"],
    ["C:\\footage", "C:\\footage"],
    ['He said "no"', 'He said "no"'],
    ['12" monitor', '12" monitor'],
  ])("%j means %j", (given, meant) => {
    expect(meantArguments([given], "win32")).toEqual([meant]);
  });

  it.each(['C:\\footage" --case 01AB1234526', '--to=C:\\out" x'])(
    "%j has swallowed what follows, and that is said",
    (given) => {
      expect(() => meantArguments(["upload", given], "win32")).toThrow(
        expect.objectContaining({
          code: "usage.invalid",
          hint: expect.stringContaining('"C:\\footage", not'),
        }),
      );
    },
  );

  it("are as they are elsewhere", () => {
    expect(meantArguments(['C:\\footage"'], "linux")).toEqual(['C:\\footage"']);
  });
});

describe("what stops the program on Windows", () => {
  it.each([
    ["SIGINT", "SIGINT"],
    ["SIGBREAK", "SIGINT"],
    ["SIGHUP", "SIGTERM"],
    ["SIGTERM", "SIGTERM"],
  ])("%s parks the work like %s", (name, like) => {
    const windows = Object.assign(new EventEmitter(), { platform: "win32" });
    const signal = watchSignals(windows as unknown as NodeJS.Process);
    windows.emit(name, name);
    expect(signal.aborted).toBe(true);
    expect((signal.reason as Interrupted).signalName).toBe(like);
  });
});

describe("the address of a folder on Windows", () => {
  it.each([
    ["\\\\nas\\evidence", "file://nas/evidence", "\\\\nas\\evidence"],
    ["\\\\?\\UNC\\nas\\evidence\\", "file://nas/evidence", "\\\\nas\\evidence"],
    ["file://nas/evidence/", "file://nas/evidence", "\\\\nas\\evidence"],
    ["\\\\nas\\cctv\\day 1\\", "file://nas/cctv/day%201", "\\\\nas\\cctv\\day 1"],
    ["D:\\evidence\\", "file:///D:/evidence", "D:\\evidence"],
    ["\\\\?\\D:\\evidence", "file:///D:/evidence", "D:\\evidence"],
    ["E:\\", "file:///E:/", "E:\\"],
    ["file:///E:/", "file:///E:/", "E:\\"],
  ])("of %j is %s", (given, address, folder) => {
    expect(folderAddress(given, "win32")).toBe(address);
    expect(folderOf(address, "win32")).toBe(folder);
    expect(folderAddress(address, "win32")).toBe(address);
  });

  it.each(["evidence", "nas:evidence", "https://nas/evidence"])("is not %j", (given) => {
    expect(folderAddress(given, "win32")).toBeUndefined();
  });

  it("names no share elsewhere", () => {
    expect(folderAddress("file://nas/evidence", "linux")).toBeUndefined();
    expect(folderAddress("/", "linux")).toBe("file:///");
    expect(() => folderOf("file://nas/evidence", "linux")).toThrow(
      expect.objectContaining({ code: "usage.invalid" }),
    );
  });
});

it("says of no path that is not Windows' own that it swallowed anything", () => {
  expect(meantArguments([path.win32.join("a", 'b"')], "win32")).toEqual(['a\\b"']);
});

it.each([
  ["CON .mp4", "~43ON .mp4"],
  ["nul.tar.gz", "~6Eul.tar.gz"],
  ["CONIN$", "~43ONIN$"],
  ["COM10", "COM10"],
  ["com¹", "~63om¹"],
])("keeps %j of a record as %j, which is no device", (name, kept) => {
  const segments = destinationSegments({ path: name, pathBytes: undefined }, "win32");
  expect(segments.map(String)).toEqual([kept]);
});

describe("a rename on Windows", () => {
  /** Refuses so many times, as if somebody had the file open. */
  const refusing = (times: number, code: string) => {
    const told = { tries: 0 };
    const work = (): Promise<string> => {
      told.tries += 1;
      const refusal = Object.assign(new Error("refused"), { code });
      return told.tries > times ? Promise.resolve("renamed") : Promise.reject(refusal);
    };
    return { told, work };
  };

  it.each(["EPERM", "EACCES", "EBUSY"])("goes on when %s has passed", async (code) => {
    const { told, work } = refusing(3, code);
    await expect(outwaitingScanners(work, "win32")).resolves.toBe("renamed");
    expect(told.tries).toBe(4);
  });

  it.each([
    ["EPERM", "win32", 8],
    ["ENOENT", "win32", 1],
    ["EPERM", "linux", 1],
  ] as const)("gives %s as it is in the end (%s: %i tries)", async (code, platform, tries) => {
    const { told, work } = refusing(Infinity, code);
    await expect(outwaitingScanners(work, platform)).rejects.toMatchObject({ code });
    expect(told.tries).toBe(tries);
  });
});

it.each([undefined, "", "AppData"])(
  "keeps its state at home when %%LOCALAPPDATA%% is %j",
  (value) => {
    const facts = { platform: "win32", home: "/home/jo", env: { LOCALAPPDATA: value } } as const;
    expect(pathsOn(facts).stateDir).toBe("/home/jo/AppData/Local/exhibit/state");
  },
);
