import { execFile } from "node:child_process";
import { mkdirSync } from "node:fs";
import { mkdir, mkdtemp, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { expect, it } from "@jest/globals";
import { flushTogether } from "../../src/platform/flush-together.ts";

it("fails where a file system cannot be synced, and asks for every file by itself from then on", async () => {
  const folder = await mkdtemp(path.join(tmpdir(), "exhibit-flush-"));
  const root = path.join(folder, "root");
  const file = path.join(folder, "file");
  await mkdir(root);
  await writeFile(file, "evidence");
  const flush = flushTogether();
  const made = { files: [file], folders: [folder] };
  await flush(root, made);
  if (process.platform === "linux") {
    // Synced as a whole, no file is looked at.
    await flush(root, { files: [path.join(folder, "none")], folders: [] });
    await rm(root, { recursive: true });
    await expect(flush(root, made)).rejects.toMatchObject({ code: "EIO" });
  }
  await flush(root, made);
  const gone = { files: [path.join(folder, "none")], folders: [] };
  await expect(flush(root, gone)).rejects.toMatchObject({ code: "ENOENT" });
  await rm(folder, { recursive: true });
});

const built = new URL("../../dist/platform/flush-together.js", import.meta.url);

const onLinux = process.platform === "linux" ? it : it.skip;

onLinux(
  "fails for all that wait behind a failure: the next sync would know nothing of it",
  async () => {
    const root = await mkdtemp(path.join(tmpdir(), "exhibit-flush-"));
    const flush = flushTogether();
    const made = { files: [], folders: [root] };
    await flush(root, made);
    await rm(root, { recursive: true });
    const first = flush(root, made).finally(() => {
      // From here on a sync would succeed.
      mkdirSync(root);
    });
    const all = await Promise.allSettled([first, flush(root, made), flush(root, made)]);
    for (const one of all)
      expect(one).toMatchObject({ status: "rejected", reason: { code: "EIO" } });
    await flush(root, made);
    await rm(root, { recursive: true });
  },
);

onLinux(
  "syncs once for all that ask while a sync is under way, after they have asked",
  async () => {
    const folder = await mkdtemp(path.join(tmpdir(), "exhibit-flush-"));
    const calls = path.join(folder, "calls");
    await mkdir(path.join(folder, "seen"));
    // Tells what lay there when it began.
    const sync = `#!/bin/sh\necho $(ls "$2/seen") >>"${calls}"\nexec /bin/sync "$@"\n`;
    await writeFile(path.join(folder, "sync"), sync, { mode: 0o755 });
    const asking = `
    import { writeFileSync } from "node:fs";
    const { flushTogether } = await import(process.argv[1]);
    const flush = flushTogether();
    const ask = (name) => {
      writeFileSync(process.argv[2] + "/seen/" + name, "");
      return flush(process.argv[2], { files: [], folders: [] });
    };
    await ask("a");
    const underWay = ask("b");
    await new Promise(setImmediate);
    await Promise.all([underWay, ask("c"), ask("d"), ask("e")]);`;
    await promisify(execFile)(
      process.execPath,
      ["--input-type=module", "-e", asking, built.href, folder],
      { env: { ...process.env, PATH: `${folder}:${process.env["PATH"] ?? ""}` } },
    );
    const [, afterA, ...others] = (await readFile(calls, "utf8")).trim().split("\n");
    expect(afterA).toBe("a");
    // What the one that was under way saw may be more than it was asked for.
    expect(others).toHaveLength(2);
    expect(others[1]).toBe("a b c d e");
    await rm(folder, { recursive: true });
  },
);

onLinux("goes on when all of a terminal or a service are asked to stop", async () => {
  const root = await mkdtemp(path.join(tmpdir(), "exhibit-flush-"));
  const flush = flushTogether();
  // Synced as a whole, no file is looked at.
  const made = { files: [path.join(root, "none")], folders: [] };
  await flush(root, { files: [], folders: [] });
  const shell = await processFor(root);
  expect(await groupOf(shell)).not.toBe(await groupOf(process.pid));
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    process.kill(-shell, signal);
    await flush(root, made);
  }
  expect(await processFor(root)).toBe(shell);
  await rm(root, { recursive: true });
});

/** The process that has a text as one of its arguments. */
async function processFor(argument: string): Promise<number> {
  for (const name of await readdir("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    const argv = await readFile(`/proc/${name}/cmdline`, "utf8").catch(() => "");
    if (argv.split("\0").includes(argument)) return Number(name);
  }
  throw new Error("There is no such process.");
}

async function groupOf(pid: number): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, "utf8");
  // After the name, which may hold anything: state, parent, group.
  return Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[2]);
}
