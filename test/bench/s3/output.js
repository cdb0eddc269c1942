// What a program prints.
import { execFile } from "node:child_process";
import { promisify } from "node:util";

/**
 * @param {readonly string[]} command
 * @param {NodeJS.ProcessEnv} env
 * @returns {Promise<string>}
 * @throws Error with what it said, when it fails
 */
export async function output([program = "", ...args], env) {
  const { stdout } = await promisify(execFile)(program, args, { env, maxBuffer: 2 ** 26 });
  return stdout;
}
