import { spawn, type ChildProcessWithoutNullStreams } from "node:child_process";
import { once } from "node:events";
import { chmod, mkdir, mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { text } from "node:stream/consumers";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { openDataFolder } from "../../src/platform/data-folder.ts";

let root: string;
beforeAll(async () => {
  root = await mkdtemp(path.join(tmpdir(), "exhibit-data-"));
});
afterAll(() => rm(root, { recursive: true }));

const module = new URL("../../dist/platform/data-folder.js", import.meta.url).href;
const holder = `
  import { openDataFolder } from ${JSON.stringify(module)};
  try {
    await openDataFolder(process.argv[1]);
    console.log("held");
    process.stdin.resume();
  } catch (error) {
    console.log(error.code + " " + error.message);
  }
`;

/** Another process that opens the folder, and keeps it until it is killed. */
function otherProcess(folder: string): ChildProcessWithoutNullStreams {
  return spawn(process.execPath, ["--input-type=module", "-e", holder, folder]);
}

async function firstLine(child: ChildProcessWithoutNullStreams): Promise<string> {
  const [data] = (await once(child.stdout, "data")) as [Buffer];
  return data.toString().trim();
}

describe("a server's data folder", () => {
  it("is made for this user alone, with a key that stays the same", async () => {
    const folder = path.join(root, "new", "server");
    const first = await openDataFolder(folder);
    expect((await stat(folder)).mode & 0o777).toBe(0o700);
    expect((await stat(path.join(folder, "server-key.json"))).mode & 0o777).toBe(0o600);
    await first.release();
    const second = await openDataFolder(folder);
    expect(second.key.thumbprint).toBe(first.key.thumbprint);
    expect(second.retiredKeys).toEqual([]);
    await second.release();
  });

  it("goes to exactly one of several processes that want it at once, and the others name that one", async () => {
    const folder = path.join(root, "race");
    const children = Array.from({ length: 5 }, () => otherProcess(folder));
    const told = await Promise.all(children.map(firstLine));
    const winner = children[told.indexOf("held")];
    expect(told.filter((line) => line === "held")).toHaveLength(1);
    for (const line of told.filter((other) => other !== "held")) {
      expect(line).toContain(`conflict.locked Another server (process ${winner?.pid ?? 0})`);
    }
    winner?.kill("SIGKILL");
    if (winner !== undefined) await once(winner, "exit");
    // Its process id still stands in the folder; the lock died with it.
    expect(await readFile(path.join(folder, "serve.pid"), "utf8")).toBe(`${winner?.pid ?? 0}\n`);
    await (await openDataFolder(folder)).release();
  }, 20_000);

  it("is refused while this process holds it", async () => {
    const folder = path.join(root, "held");
    const held = await openDataFolder(folder);
    const child = otherProcess(folder);
    expect(await text(child.stdout)).toContain(`process ${process.pid}`);
    await held.release();
  });

  it.each([
    ["other people's files", ["letters.txt"], "conflict.exists"],
    ["a database without its key", ["serve.lock", "exhibit.sqlite"], "conflict.exists"],
    ["a damaged key", ["serve.lock", "server-key.json"], "conflict.exists"],
  ])("with %s is refused and left alone", async (_, names, code) => {
    const folder = await mkdtemp(path.join(root, "foreign-"));
    // An empty lock file is what a server leaves; anything else here is not.
    for (const name of names) {
      await writeFile(path.join(folder, name), name === "serve.lock" ? "" : "not ours");
    }
    await expect(openDataFolder(folder)).rejects.toMatchObject({ code });
    for (const name of names.filter((other) => other !== "serve.lock")) {
      expect(await readFile(path.join(folder, name), "utf8")).toBe("not ours");
    }
  });

  it("knows the keys it signed with once", async () => {
    const folder = path.join(root, "rotated");
    const old = await openDataFolder(path.join(root, "old"));
    await (await openDataFolder(folder)).release();
    const file = path.join(folder, "server-key.json");
    const document = JSON.parse(await readFile(file, "utf8")) as Record<string, unknown>;
    const retired = [{ key: old.key.publicJwk, retiredAt: "2026-11-01T00:00:00Z" }];
    await writeFile(file, JSON.stringify({ ...document, retired }));
    await chmod(file, 0o600);
    const rotated = await openDataFolder(folder);
    expect(rotated.retiredKeys).toMatchObject([{ thumbprint: old.key.thumbprint }]);
    await rotated.release();
    await old.release();
  });

  it("that is a file is refused in words", async () => {
    const file = path.join(root, "file");
    await writeFile(file, "");
    await mkdir(path.join(root, "unused"));
    await expect(openDataFolder(file)).rejects.toMatchObject({ code: "usage.invalid" });
  });
});
