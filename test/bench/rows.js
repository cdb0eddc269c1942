// From what was measured to the lines of the table.
import { median } from "./rounds.js";

/**
 * @typedef {object} Row
 * @property {string} workload
 * @property {string} measure with its unit
 * @property {number} value median of exhibit's
 * @property {number | null} floor median of the floor's
 * @property {number | null} peer median of the peer's
 * @property {string | null} goal
 * @property {boolean | null} met null where there is no goal, or where it could not be measured
 * @property {string | null} floorName
 * @property {string | null} peerName
 * @property {number | null} toFloor median of the rounds' ratios
 * @property {number | null} toPeer median of the rounds' ratios
 *
 * @typedef {import("./rounds.js").Samples} Samples
 */

/** What is measured of whoever sends: how it is called, and where it stands in a sample. */
export const measures = /** @type {const} */ ([
  ["wall (s)", "wall"],
  ["client CPU (s)", "clientCpu"],
  ["server CPU (s)", "serverCpu"],
  ["client peak RSS (MiB)", "clientRss"],
  ["server peak RSS (MiB)", "serverRss"],
]);

/**
 * A line with nothing in it but its name and value.
 *
 * @param {string} workload
 * @param {string} measure
 * @param {number} value
 * @param {Partial<Row>} [more]
 * @returns {Row}
 */
export function row(workload, measure, value, more = {}) {
  const nothing = { floor: null, peer: null, goal: null, met: null };
  const unnamed = { floorName: null, peerName: null, toFloor: null, toPeer: null };
  return { workload, measure, value, ...nothing, ...unnamed, ...more };
}

/**
 * One line about exhibit, with a floor and a peer from the same rounds.
 *
 * @param {Samples} samples
 * @param {string} workload
 * @param {string} measure
 * @param {string} key of a sample
 * @param {{ floor?: string | undefined, peer?: string | undefined, name?: string }} [beside]
 * @returns {Row}
 */
export function compare(samples, workload, measure, key, { floor, peer, name = "exhibit" } = {}) {
  return row(workload, measure, median(valuesOf(samples, name, key)), {
    ...(floor === undefined || !samples.has(floor)
      ? {}
      : {
          floor: median(valuesOf(samples, floor, key)),
          floorName: floor,
          toFloor: ratio(samples, key, name, floor),
        }),
    ...(peer === undefined || !samples.has(peer)
      ? {}
      : {
          peer: median(valuesOf(samples, peer, key)),
          peerName: peer,
          toPeer: ratio(samples, key, name, peer),
        }),
  });
}

/**
 * @param {Samples} samples
 * @param {string} name
 * @param {string} key
 * @returns {number[]}
 */
export function valuesOf(samples, name, key) {
  return (samples.get(name) ?? []).map((sample) => sample[key] ?? Number.NaN);
}

/**
 * @param {Samples} samples
 * @param {string} key
 * @param {string} name
 * @param {string} other
 * @returns {number}
 */
export function ratio(samples, key, name, other) {
  const others = valuesOf(samples, other, key);
  return median(valuesOf(samples, name, key).map((value, round) => value / (others[round] ?? 0)));
}

/**
 * Of the candidates that were measured, the one with the least of something.
 *
 * @param {Samples} samples
 * @param {string} key
 * @param {readonly string[]} names
 * @returns {string | undefined}
 */
export function best(samples, key, names) {
  const there = names.filter((name) => samples.has(name));
  const value = (/** @type {string} */ name) => median(valuesOf(samples, name, key));
  return there.sort((a, b) => value(a) - value(b))[0];
}

/**
 * A row with its goal; where what it is compared with is not there, the goal is neither met nor missed.
 *
 * @param {Row} one
 * @param {string} goal
 * @param {number | null} figure
 * @param {(figure: number) => boolean} isMet
 * @returns {Row}
 */
export function withGoal(one, goal, figure, isMet) {
  return { ...one, goal, met: figure === null || Number.isNaN(figure) ? null : isMet(figure) };
}
