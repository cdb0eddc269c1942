// Runs candidates in turn, so that what disturbs the machine disturbs all of them alike.
import { spawnSync } from "node:child_process";

/**
 * @typedef {object} Candidate
 * @property {string} name
 * @property {(round: number) => Promise<import("./measure.js").Cost & Record<string, number>>} run
 * @property {() => Promise<void>} [clean] removes what a run has left behind
 */

/** @typedef {Map<string, Record<string, number>[]>} Samples by candidate, one a round */

/**
 * How a workload is run: in how many rounds, where, and who is told.
 *
 * @typedef {object} Plan
 * @property {number} rounds
 * @property {() => boolean} goesOn whether another round may begin; the first one always does
 * @property {string} folder on the disk that all of them write to
 * @property {(line: string) => void} say
 * @property {(line: string) => void} fail told of what failed; its figures are missing then
 */

/**
 * @param {readonly Candidate[]} candidates
 * @param {Plan} plan
 * @returns {Promise<Samples>}
 */
export async function interleave(candidates, { rounds, goesOn, folder, say, fail }) {
  /** @type {Samples} */
  const samples = new Map(candidates.map(({ name }) => [name, []]));
  for (let round = 0; round < rounds && (round === 0 || goesOn()); round += 1) {
    // Each starts a round once, so that none always runs after the same other one.
    const shift = round % candidates.length;
    for (const one of [...candidates.slice(shift), ...candidates.slice(0, shift)]) {
      settle(folder);
      try {
        const cost = await one.run(round);
        samples.get(one.name)?.push(cost);
        say(`    ${round + 1}/${rounds} ${one.name}: ${cost.wall.toFixed(2)} s`);
      } catch (error) {
        samples.get(one.name)?.push({});
        fail(`${one.name}, round ${round + 1}: ${error instanceof Error ? error.message : "?"}`);
      }
      await one.clean?.();
    }
  }
  return samples;
}

/** Nobody pays for what another has left to be written. @param {string} folder */
function settle(folder) {
  spawnSync("sync", ["-f", folder]);
}

/** Of those that were measured. @param {readonly number[]} values */
export function median(values) {
  const sorted = values.filter((value) => Number.isFinite(value)).sort((a, b) => a - b);
  const middle = sorted.length / 2;
  const upper = sorted[Math.floor(middle)] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2;
}
