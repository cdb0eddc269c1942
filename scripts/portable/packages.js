// What a bundle takes from the registry: Node itself, and the packages that the program uses, for another system than this one.
import { execFile } from "node:child_process";
import { copyFile, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { promisify } from "node:util";
import { nodeVersion } from "./targets.js";

const run = promisify(execFile);

/** npm never runs a script of what it fetches, and checks each package against the integrity that is given or locked. */
const quietly = ["--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"];

/** @typedef {import("./targets.js").Target} Target */

/** Puts Node into `to`. @param {Target} target @param {string} work @param {string} to */
export async function fetchNode(target, work, to) {
  const folder = path.join(work, "fetched");
  await mkdir(folder);
  const { os, cpu, node, integrity, executable } = target;
  await writeFile(path.join(folder, "package.json"), '{"private":true}');
  await run("npm", ["install", ...quietly, "--force", ...at(target), `${node}@${nodeVersion}`], {
    cwd: folder,
  });
  const lock = JSON.parse(await readFile(path.join(folder, "package-lock.json"), "utf8"));
  const found = lock.packages[`node_modules/${node}`]?.integrity;
  if (found !== integrity) {
    throw new Error(`${node} ${nodeVersion} for ${os} ${cpu} is not what it was: ${found}`);
  }
  const from = path.join(folder, "node_modules", node);
  await copyFile(path.join(from, "bin", executable), path.join(to, executable));
  await rm(folder, { recursive: true });
}

/** Installs the locked packages that the program uses, and those alone. @param {Target} target @param {string} root @param {string} app */
export async function installPackages(target, root, app) {
  const whole = JSON.parse(await readFile(path.join(root, "package.json"), "utf8"));
  await writeFile(path.join(app, "package.json"), JSON.stringify(whole));
  await copyFile(path.join(root, "package-lock.json"), path.join(app, "package-lock.json"));
  await run("npm", ["ci", "--omit=dev", ...quietly, "--force", ...at(target)], { cwd: app });
  const { name, version, type, bin, engines } = whole;
  await writeFile(
    path.join(app, "package.json"),
    `${JSON.stringify({ name, version, private: true, type, bin, engines }, null, 2)}\n`,
  );
  for (const file of [
    "package-lock.json",
    "node_modules/.package-lock.json",
    "node_modules/.bin",
  ]) {
    await rm(path.join(app, file), { recursive: true, force: true });
  }
}

/** @param {Target} target */
function at({ os, cpu }) {
  return [`--os=${os}`, `--cpu=${cpu}`];
}
