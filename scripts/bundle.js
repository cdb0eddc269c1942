// Puts the program and most packages it uses into a few files, so that a command starts in half the time: Node reads some
// dozens of files then, not 400. What lies in dist/ beside the bundle is for workers, children and tests.
import { readFile, rm } from "node:fs/promises";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const root = fileURLToPath(new URL("../", import.meta.url));
const dist = path.join(root, "dist");
const outdir = path.join(dist, "bundle");

/** Binaries, and what only `exhibit serve` needs: it starts once. */
const external = [
  ...["@github/keytar", "keytar", "libsql", "sharp"],
  ...["@cantoo/pdf-lib", "@fastify/*", "fastify", "hls.js", "oidc-provider", "pino", "prom-client"],
];

// Files of an earlier bundle have other names, and would lie there for ever.
await rm(outdir, { recursive: true, force: true });
await build({
  entryPoints: [path.join(dist, "main.js")],
  outdir,
  // Paths from here are in the bundle, and names hang on them: wherever this is started, they are the same.
  absWorkingDir: root,
  bundle: true,
  splitting: true,
  platform: "node",
  format: "esm",
  target: "node20",
  legalComments: "inline",
  // What a package keeps as modules has its names, also where it is loaded when it is first needed.
  mainFields: ["module", "main"],
  external,
  plugins: [{ name: "own-places", setup: keepPlaces }],
  // Packages in CommonJS ask for Node's own modules with `require`.
  banner: {
    js: 'import { createRequire as requireOf } from "node:module"; const require = requireOf(import.meta.url);',
  },
});

/**
 * A module that finds a file beside itself still finds it there: in the bundle its own place is spelt out.
 *
 * @param {import("esbuild").PluginBuild} bundling
 */
function keepPlaces(bundling) {
  bundling.onLoad({ filter: /\.js$/, namespace: "file" }, async ({ path: file }) => {
    if (!file.startsWith(dist + path.sep)) return undefined;
    const place = path.relative(outdir, file).replaceAll(path.sep, "/");
    const text = await readFile(file, "utf8");
    return {
      contents: text.replaceAll(
        "import.meta.url",
        `new URL(${JSON.stringify(place)}, import.meta.url).href`,
      ),
    };
  });
}
