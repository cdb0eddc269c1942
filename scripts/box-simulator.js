// Runs the simulated Box of the tests as a process of its own, for the demo and the benchmark. Prints one line of JSON with
// its addresses, the application's id and secret, a developer token and a folder; runs until SIGTERM or SIGINT:
// node scripts/box-simulator.js [--tls] [--no-validate] [--part-size BYTES] [--any-upload-host]
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import process, { argv, env, execPath } from "node:process";
import { fileURLToPath, pathToFileURL } from "node:url";
import { build } from "esbuild";

const source = fileURLToPath(new URL("../test/support/box/program.ts", import.meta.url));

/**
 * Makes one file of the simulator, which Node runs.
 *
 * @param {string} outfile
 */
async function bundle(outfile) {
  await build({
    entryPoints: [source],
    outfile,
    bundle: true,
    platform: "node",
    format: "esm",
    target: "node20",
    logLevel: "warning",
    mainFields: ["module", "main"],
    plugins: [{ name: "own-places", setup: keepPlaces }],
    banner: {
      js: 'import { createRequire as requireOf } from "node:module"; const require = requireOf(import.meta.url);',
    },
  });
}

/**
 * What reads a file beside itself still finds it there.
 *
 * @param {import("esbuild").PluginBuild} bundling
 */
function keepPlaces(bundling) {
  bundling.onLoad({ filter: /support[\\/]box[\\/].*\.ts$/ }, async ({ path: file }) => {
    const text = await readFile(file, "utf8");
    const place = JSON.stringify(pathToFileURL(file).href);
    return { loader: "ts", contents: text.replaceAll("import.meta.url", place) };
  });
}

const folder = await mkdtemp(path.join(tmpdir(), "exhibit-box-"));
try {
  const program = path.join(folder, "box.mjs");
  await bundle(program);
  const child = spawn(execPath, [program, ...argv.slice(2)], {
    env: { ...env, BOX_CA_FILE: path.join(folder, "ca.pem") },
    stdio: ["ignore", "inherit", "inherit"],
  });
  const stop = () => child.kill("SIGTERM");
  process.once("SIGTERM", stop);
  process.once("SIGINT", stop);
  const [code] = await once(child, "exit");
  process.exitCode = typeof code === "number" ? code : 1;
} finally {
  await rm(folder, { recursive: true, force: true });
}
