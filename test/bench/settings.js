// What is measured, in the full form and in the short one.
import { parseArgs } from "node:util";

export const KiB = 1024;
export const MiB = 1024 * KiB;
export const GiB = 1024 * MiB;

/** The same for all that send in parts, and for all that send several things at once. */
export const partBytes = 8 * MiB;
export const concurrency = 4;

/**
 * @typedef {object} Form
 * @property {string} name
 * @property {number} rounds of each workload
 * @property {number} roundsUntil seconds from the start after which no workload begins another round, but its first
 * @property {number} oneFileBytes
 * @property {number} manyFiles files of 16 MiB
 * @property {number} smallFiles files of 10 KiB
 * @property {number} fewFiles of the small ones, as many are sent by those who take long for each
 * @property {readonly [number, number, number]} entries
 * @property {readonly number[]} memoryBytes
 * @property {number} s3FileBytes
 * @property {number} s3SmallFiles files of 256 KiB
 * @property {number} boxFileBytes
 */

/** @type {Form} */
export const full = {
  name: "full",
  rounds: 5,
  roundsUntil: Infinity,
  oneFileBytes: 4 * GiB,
  manyFiles: 200,
  smallFiles: 20_000,
  fewFiles: 2000,
  entries: [10_000, 100_000, 1_000_000],
  memoryBytes: [GiB, 16 * GiB],
  s3FileBytes: 2 * GiB,
  s3SmallFiles: 2000,
  boxFileBytes: GiB,
};

/** @type {Form} */
export const short = {
  name: "short",
  rounds: 3,
  roundsUntil: 60,
  oneFileBytes: 512 * MiB,
  manyFiles: 8,
  smallFiles: 2000,
  fewFiles: 200,
  entries: [100, 10_000, 50_000],
  memoryBytes: [],
  s3FileBytes: 512 * MiB,
  s3SmallFiles: 500,
  boxFileBytes: 256 * MiB,
};

/** With `--store s3` there are the first and the third of these, to an S3 engine, with `--store box` the first to a simulated Box, and nothing else. */
export const workloadNames = [
  "one-file",
  "many-files",
  "small-files",
  "entries",
  "resume",
  "memory",
  "start-up",
];

/**
 * @typedef {object} Settings
 * @property {Form} form
 * @property {string | undefined} json where the figures go
 * @property {(workload: string, transport: string) => boolean} wants
 * @property {"server" | "s3" | "box"} store
 * @property {boolean} writeDocs
 * @property {string} said what was asked for, for the table
 */

/**
 * @param {string[]} argv `--short`, `--json FILE`, `--only WORKLOAD[:http|:https]`, `--rounds N`, `--store s3|box`, `--write-docs`
 * @returns {Settings}
 */
export function parseSettings(argv) {
  const { values } = parseArgs({
    args: argv,
    options: {
      short: { type: "boolean", default: false },
      json: { type: "string" },
      only: { type: "string", multiple: true, default: [] },
      rounds: { type: "string" },
      store: { type: "string", default: "server" },
      "write-docs": { type: "boolean", default: false },
    },
  });
  const only = values.only.map((one) => one.split(":"));
  for (const [name = ""] of only) {
    if (!workloadNames.includes(name)) {
      throw new Error(`No such workload: ${name}. There are: ${workloadNames.join(", ")}.`);
    }
  }
  const rounds = values.rounds === undefined ? undefined : Number(values.rounds);
  if (rounds !== undefined && !(Number.isInteger(rounds) && rounds > 0)) {
    throw new Error("--rounds must be a whole number from 1.");
  }
  const { store } = values;
  if (store !== "server" && store !== "s3" && store !== "box") {
    throw new Error("--store must be server, s3 or box.");
  }
  const form = values.short ? short : full;
  return {
    form: rounds === undefined ? form : { ...form, rounds, roundsUntil: Infinity },
    json: values.json,
    store,
    writeDocs: values["write-docs"],
    wants: (workload, transport) =>
      only.length === 0 ||
      only.some(([name, way]) => name === workload && (way === undefined || way === transport)),
    said: `npm run bench${argv.length === 0 ? "" : ` -- ${argv.join(" ")}`}`,
  };
}
