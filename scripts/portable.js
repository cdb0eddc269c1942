// npm run bundle -- win-x64: makes portable/exhibit-win-x64-VERSION.zip, which needs no installation: Node, the built program
// with the packages that it uses, and a command to start it. The same sources make the same bytes.
import { createHash } from "node:crypto";
import { createWriteStream } from "node:fs";
import { cp, mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { argv, exit, stderr, stdout } from "node:process";
import { pipeline } from "node:stream/promises";
import { fileURLToPath } from "node:url";
import yazl from "yazl";
import { fetchNode, installPackages } from "./portable/packages.js";
import { targets } from "./portable/targets.js";

// Times in a zip are local ones.
process.env["TZ"] = "UTC";
const everythingsTime = new Date("2000-01-01T00:00:00Z");

const root = fileURLToPath(new URL("../", import.meta.url));
const name = argv[2] ?? "";
const target = targets[name] ?? unknownTarget();

const { version } = JSON.parse(await readFile(path.join(root, "package.json"), "utf8"));
const title = `exhibit-${name}-${version}`;
const work = await mkdtemp(path.join(tmpdir(), "exhibit-portable-"));
try {
  const folder = path.join(work, title);
  await mkdir(path.join(folder, "node"), { recursive: true });
  await fetchNode(target, work, path.join(folder, "node"));
  await copyProgram(path.join(folder, "app"));
  await installPackages(target, root, path.join(folder, "app"));
  for (const [file, text] of Object.entries(target.files)) {
    const ends = target.lineEnd;
    await writeFile(path.join(folder, file), text(version).replaceAll("\n", ends));
  }
  const files = await filesBelow(folder);
  const sums = [];
  for (const file of files) sums.push(`${await sha256Of(path.join(folder, file))}  ${file}\n`);
  await writeFile(path.join(folder, "SHA256SUMS"), sums.join(""));
  const zip = path.join(root, "portable", `${title}.zip`);
  await mkdir(path.dirname(zip), { recursive: true });
  await writeZip(`${zip}.part`, folder, title, [...files, "SHA256SUMS"].sort());
  await rename(`${zip}.part`, zip);
  stdout.write(`${await sha256Of(zip)}  ${path.relative(root, zip)}\n`);
} finally {
  await rm(work, { recursive: true, force: true });
}

/** @returns {never} */
function unknownTarget() {
  stderr.write(`Say for which system: npm run bundle -- ${Object.keys(targets).join(" | ")}\n`);
  exit(2);
}

/** The built program, without what only its makers need. */
async function copyProgram(/** @type {string} */ app) {
  await mkdir(app, { recursive: true });
  for (const part of ["bin", "dist"]) {
    await cp(path.join(root, part), path.join(app, part), {
      recursive: true,
      filter: (file) => !/\.(?:map|d\.ts|tsbuildinfo)$/.test(file),
    });
  }
}

/** @returns {Promise<string[]>} relative paths with slashes, sorted by their bytes */
async function filesBelow(/** @type {string} */ folder) {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) =>
      path.relative(folder, path.join(entry.parentPath, entry.name)).replaceAll(path.sep, "/"),
    )
    .sort();
}

async function sha256Of(/** @type {string} */ file) {
  return createHash("sha256")
    .update(await readFile(file))
    .digest("hex");
}

async function writeZip(
  /** @type {string} */ zip,
  /** @type {string} */ folder,
  /** @type {string} */ title,
  /** @type {string[]} */ files,
) {
  const archive = new yazl.ZipFile();
  for (const file of files) {
    const isProgram = target.programs.includes(file);
    archive.addBuffer(await readFile(path.join(folder, file)), `${title}/${file}`, {
      mtime: everythingsTime,
      mode: isProgram ? 0o100755 : 0o100644,
      compressionLevel: 9,
    });
  }
  archive.end();
  await pipeline(archive.outputStream, createWriteStream(zip));
}
