// Runs the built command as a person would, and starts the server with it.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import path from "node:path";
import { fileURLToPath } from "node:url";

const program = fileURLToPath(new URL("../../bin/exhibit.js", import.meta.url));

/**
 * Someone at their own machine: own configuration, own state, own key file.
 *
 * @typedef {{ readonly env: NodeJS.ProcessEnv }} Person
 */

/**
 * @param {string} folder
 * @returns {Person}
 */
export function person(folder) {
  return {
    env: {
      ...process.env,
      EXHIBIT_CONFIG_DIR: path.join(folder, "config"),
      EXHIBIT_STATE_DIR: path.join(folder, "state"),
      EXHIBIT_KEY_FILE: path.join(folder, "keys.json"),
    },
  };
}

/**
 * Runs `exhibit ARGS --json` and returns the document on standard output. Fails with the command's own words.
 *
 * @param {Person} who
 * @param {string[]} args
 * @param {string} [input]
 * @returns {Promise<any>}
 */
export async function exhibit(who, args, input = "") {
  const child = start(who, [...args, "--json"]);
  child.stdin.end(input);
  const [stdout, stderr, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    /** @type {Promise<[number]>} */ (once(child, "close")),
  ]);
  if (code !== 0) throw new Error(`exhibit ${args[0] ?? ""} ended with ${String(code)}: ${stderr}`);
  return stdout === "" ? undefined : JSON.parse(stdout);
}

/**
 * @param {Person} who
 * @param {string[]} args
 */
export function start(who, args) {
  return spawn(process.execPath, [program, ...args], {
    env: who.env,
    stdio: ["pipe", "pipe", "pipe"],
  });
}

/**
 * Starts `exhibit serve` and waits until it listens.
 *
 * @param {Person} who
 * @param {string[]} args
 * @returns {Promise<{ url: string, stop: () => Promise<void>, ended: Promise<unknown> }>}
 */
export async function serve(who, args) {
  const child = start(who, ["serve", "--port", "0", "--json", ...args]);
  const ended = once(child, "close");
  const problems = text(child.stderr);
  for await (const line of createInterface({ input: child.stdout })) {
    const { type, url } = JSON.parse(line);
    if (type !== "listening") continue;
    child.stdout.resume();
    return {
      url,
      ended,
      stop: async () => {
        child.kill("SIGTERM");
        await ended;
      },
    };
  }
  throw new Error(`The server did not start: ${await problems}`);
}

/** @param {import("node:stream").Readable} stream */
async function text(stream) {
  const chunks = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks).toString("utf8");
}
