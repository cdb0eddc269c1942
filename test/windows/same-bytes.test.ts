import { afterAll, beforeAll, expect, it } from "@jest/globals";
import { execFile } from "node:child_process";
import { cp, mkdir, mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { fileURLToPath } from "node:url";
import { sha256Of } from "../../scripts/portable/zip.js";

const run = promisify(execFile);
const root = fileURLToPath(new URL("../../", import.meta.url));
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "exhibit same bytes "));
});
afterAll(() => rm(folder, { recursive: true }));

/** Writes some files in the order given, and zips them. */
const zipping = `
  import { mkdirSync, utimesSync, writeFileSync } from "node:fs";
  import path from "node:path";
  import { writeZip } from ${JSON.stringify(new URL("../../scripts/portable/zip.js", import.meta.url).href)};
  const [folder, umask, at, ...files] = process.argv.slice(1);
  process.umask(Number.parseInt(umask, 8));
  for (const name of files) {
    const file = path.join(folder, "exhibit-1.0", name);
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, "what is in " + name);
    utimesSync(file, new Date(at), new Date(at));
  }
  await writeZip(path.join(folder, "made.zip"), path.join(folder, "exhibit-1.0"), ["node/node"]);`;

it("zips the same files into the same bytes, whoever does it, where, and when", async () => {
  const files = ["app/bin/exhibit.js", "app/ü.txt", "exhibit.cmd", "node/node"];
  const makers = [
    ["one", "022", "2026-01-01T00:00:00Z", "UTC", files],
    ["other place", "077", "2031-07-01T12:34:56Z", "Pacific/Auckland", files.toReversed()],
  ] as const;
  const zips = [];
  for (const [name, umask, at, TZ, order] of makers) {
    const place = path.join(folder, name);
    const argv = ["--input-type=module", "-e", zipping, place, umask, at, ...order];
    await run(process.execPath, argv, { cwd: "/", env: { ...process.env, TZ } });
    zips.push(path.join(place, "made.zip"));
  }
  const [one = "", other = ""] = zips;
  expect(await sha256Of(other)).toBe(await sha256Of(one));
  const sums = path.join(folder, "one", "exhibit-1.0", "SHA256SUMS");
  expect((await readFile(sums, "utf8")).replaceAll(/^[0-9a-f]{64} {2}/gm, "")).toBe(
    `${files.join("\n")}\n`,
  );
  expect(modesIn(await readFile(one))).toEqual({
    "exhibit-1.0/SHA256SUMS": "100644",
    ...Object.fromEntries(
      files.map((name) => [`exhibit-1.0/${name}`, name === "node/node" ? "100755" : "100644"]),
    ),
  });
});

/** The modes of files by their names, from a zip's central directory (APPNOTE.TXT 4.3.12). */
function modesIn(zip: Buffer): Record<string, string> {
  const modes: Record<string, string> = {};
  let at = zip.indexOf("PK\x01\x02");
  for (; at >= 0; at = zip.indexOf("PK\x01\x02", at + 4)) {
    const name = zip.toString("utf8", at + 46, at + 46 + zip.readUInt16LE(at + 28));
    modes[name] = zip.readUInt16LE(at + 40).toString(8);
  }
  return modes;
}

it("bundles the program into the same bytes from another place and another current folder", async () => {
  const elsewhere = path.join(folder, "elsewhere");
  for (const part of ["package.json", "scripts/bundle.js", "dist"]) {
    await cp(path.join(root, part), path.join(elsewhere, part), {
      recursive: true,
      filter: (file) => path.relative(root, file) !== "dist/bundle",
    });
  }
  await mkdir(path.join(elsewhere, "node_modules"));
  // A link would not do: where packages lie is said in the bundle.
  const script =
    'mount --bind "$1/node_modules" "$2/node_modules" && cd / && exec "$0" "$2/scripts/bundle.js"';
  await run("unshare", ["-m", "sh", "-c", script, process.execPath, root, elsewhere]);
  expect(await sumsOf(path.join(elsewhere, "dist/bundle"))).toEqual(
    await sumsOf(path.join(root, "dist/bundle")),
  );
});

async function sumsOf(bundle: string): Promise<string[]> {
  const names = (await readdir(bundle)).sort();
  const sums = [];
  for (const name of names) sums.push(`${await sha256Of(path.join(bundle, name))}  ${name}`);
  return sums;
}
