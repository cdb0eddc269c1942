// `npm run bench`: what exhibit costs beside the least that must be done and beside what people use today.
import { mkdir, mkdtemp, rm, statfs, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { performance } from "node:perf_hooks";
import { installTools, missingTools } from "../../scripts/install-tools.js";
import { makeCertificates } from "./certificates.js";
import { writeDocs } from "./docs.js";
import { boxOneFile } from "./box/workloads.js";
import { machine } from "./machine.js";
import { endMeasured } from "./measure.js";
import { openRig } from "./rig.js";
import { s3OneFile, s3SmallFiles } from "./s3/workloads.js";
import { GiB, parseSettings } from "./settings.js";
import { candidatesTable, table } from "./table.js";
import { entries } from "./workloads/entries.js";
import { memory } from "./workloads/memory.js";
import { resume } from "./workloads/resume.js";
import { manyFiles, oneFile, sizeOf, smallFiles } from "./workloads/sending.js";
import { startUp } from "./workloads/start-up.js";

/** Without these there is nothing to measure with; without a peer, only its figures are missing. */
const needed = ["openssl", "time"];
const peers = ["rclone", "nginx", "curl"];

/** By the store that is sent to. */
const programs = {
  server: { needs: needed, wished: peers },
  s3: { needs: [...needed, "ceph", "rclone"], wished: ["awscli", "s3cmd"] },
  box: { needs: needed, wished: ["rclone"] },
};

const settings = parseSettings(process.argv.slice(2));
const { form, wants } = settings;
const { needs, wished } = programs[settings.store];
installTools([...needs, ...wished]);
const lacking = missingTools([...needs, ...wished]);
const lackingNeeds = needs.filter((name) => lacking.includes(name));
if (lackingNeeds.length > 0) {
  say(`Nothing can be measured without: ${lackingNeeds.join(", ")}.`);
  process.exit(1);
}

const folder = await mkdtemp(path.join(tmpdir(), "exhibit-bench-"));
await mkdir(path.join(folder, "sources"));
const rig = openRig(folder, await makeCertificates(folder), lacking);
await requireRoom();
const began = performance.now();
/** @type {string[]} */
const failures = [];
/** @type {import("./rounds.js").Plan} */
const plan = {
  rounds: form.rounds,
  goesOn: () => performance.now() - began < form.roundsUntil * 1000,
  folder,
  say,
  fail(line) {
    failures.push(line);
    say(`    FAILED: ${line}`);
  },
};
/** @type {import("./rows.js").Row[]} */
const rows = [];
/** @type {{ workload: string, samples: import("./rows.js").Samples }[]} */
const all = [];
for (const signal of /** @type {const} */ (["SIGINT", "SIGTERM"])) {
  process.once(signal, () => void tidy().then(() => process.exit(signal === "SIGINT" ? 130 : 143)));
}
try {
  await bench();
} finally {
  await tidy();
}
if (failures.length > 0) process.exitCode = 1;

async function tidy() {
  endMeasured();
  await rig.stop();
  await rm(folder, { recursive: true, force: true });
}

/** The largest file, at both ends; and what all others take. */
async function requireRoom() {
  const needed = 2 * form.oneFileBytes + Math.max(0, ...form.memoryBytes) + 8 * GiB;
  const { bavail, bsize } = await statfs(folder);
  if (bavail * bsize >= needed) return;
  await rm(folder, { recursive: true, force: true });
  throw new Error(`${tmpdir()} has less than the ${sizeOf(needed)} that this needs; set TMPDIR.`);
}

async function bench() {
  const toServer = {
    "one-file": oneFile,
    "many-files": manyFiles,
    "small-files": smallFiles,
    entries,
    resume,
    ...(form.memoryBytes.length === 0 ? {} : { memory }),
  };
  const workloads = {
    server: toServer,
    s3: { "one-file": s3OneFile, "small-files": s3SmallFiles },
    box: { "one-file": boxOneFile },
  }[settings.store];
  /** @type {readonly import("./rig.js").Transport[]} */
  const transports = settings.store === "s3" ? ["http"] : ["http", "https"];
  for (const [name, run] of Object.entries(workloads)) {
    for (const transport of transports) {
      if (!wants(name, transport)) continue;
      say(`  ${name}, ${transport}`);
      add(`${name}, ${transport}`, await run(rig, transport, form, plan));
    }
  }
  if (settings.store === "server" && wants("start-up", "")) add("start-up", await startUp(plan));
  const about = { ...machine(folder), form: form.name, rounds: form.rounds, notInstalled: lacking };
  const text = report(about);
  process.stdout.write(`${text}\n`);
  if (settings.json !== undefined) {
    const candidates = all.map(({ workload, samples }) => ({
      workload,
      samples: Object.fromEntries(samples),
    }));
    await writeFile(
      settings.json,
      `${JSON.stringify({ about, rows, candidates, failures }, null, 2)}\n`,
    );
  }
  if (settings.writeDocs) await writeDocs(text, settings.store);
}

/**
 * @param {string} workload
 * @param {import("./workloads/sending.js").Measured} measured
 */
function add(workload, measured) {
  rows.push(...measured.rows);
  all.push({ workload, samples: measured.samples });
}

/** @param {Record<string, unknown>} about */
function report(about) {
  const missed = rows.filter(({ met }) => met === false).length;
  const reached = rows.filter(({ met }) => met === true).length;
  return [
    `\`${settings.said}\`, ${String(about["date"])}: the ${form.name} form, ${Math.round((performance.now() - began) / 1000)} s.`,
    `Medians of ${form.rounds} interleaved rounds${form.roundsUntil === Infinity ? "" : ", or of as many as there was time for"} (see below); ratios are medians of the rounds' own ratios.`,
    ...(form.name === "short"
      ? [
          "Short: smaller sizes and fewer rounds than the goals speak of. Start-up and sign-in weigh more here; the full form decides.",
        ]
      : []),
    ...(settings.store !== "server"
      ? []
      : [
          `Of the ${form.smallFiles} small files the bare sender and rclone send ${form.fewFiles}; their figures are taken times ${form.smallFiles / form.fewFiles}.`,
        ]),
    ...failures.map((line) => `**FAILED: ${line}**`),
    ...lacking.map((name) => `**NOT INSTALLED: ${name}. Its figures are missing.**`),
    Object.entries(about)
      .filter(([, value]) => typeof value === "string" && value !== "")
      .map(([name, value]) => `${name}: ${String(value)}`)
      .join("; "),
    "",
    table(rows),
    "",
    `Goals met: ${reached}, missed: ${missed}.`,
    "",
    "Everyone's medians:",
    "",
    candidatesTable(all),
  ].join("\n");
}

/** @param {string} line */
function say(line) {
  process.stderr.write(`${line}\n`);
}
