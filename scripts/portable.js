// npm run bundle -- win-x64: makes portable/exhibit-win-x64-VERSION.zip, which needs no installation: Node, the built program
// with the packages that it uses, and a command to start it. The same sources make the same bytes.
import { cp, mkdir, mkdtemp, readFile, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { argv, exit, stderr, stdout } from "node:process";
import { fileURLToPath } from "node:url";
import { fetchNode, installPackages } from "./portable/packages.js";
import { targets } from "./portable/targets.js";
import { sha256Of, writeZip } from "./portable/zip.js";

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
  const zip = path.join(root, "portable", `${title}.zip`);
  await mkdir(path.dirname(zip), { recursive: true });
  await writeZip(`${zip}.part`, folder, target.programs);
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
      // The manual page is for `npm install -g`, and has the day it was made in it.
      filter: (file) =>
        !/\.(?:map|d\.ts|tsbuildinfo)$/.test(file) && path.relative(root, file) !== "dist/man",
    });
  }
}
