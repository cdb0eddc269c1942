// Takes the guard out of each of some rows of docs/faults.md, in a copy of the sources, and runs the row's test: it must
// fail. Prints a line a row; ends with 1 when a test still passes without its guard.
import { spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import process, { execPath, stdout } from "node:process";

/**
 * @typedef {{ row: number, file: string, guard: string, without: string, test: string, name: string, built?: true }} Mutation
 * What stands in `file` and what takes its place; the test's file, and words of its name. `built` where the test runs the
 * built program.
 */

/** @type {readonly Mutation[]} */
const mutations = [
  {
    row: 1,
    file: "transfer/watched-file.ts",
    guard: "if (now.version !== entry.version)",
    without: "if (Number.isNaN(now.sizeBytes))",
    test: "transfer/failures.test.ts",
    name: "is refused when it grows while it is read",
  },
  {
    row: 5,
    file: "platform/source-file.ts",
    guard: "if (named.dev !== held.dev || named.ino !== held.ino)",
    without: "if (named.dev !== held.dev)",
    test: "platform/files.test.ts",
    name: "notices that an open file was",
  },
  {
    row: 4,
    file: "transfer/send-parts.ts",
    guard: "if (part.length === there.length && part.sha256 === there.sha256) return;",
    without: "if (part.length === there.length) return;",
    test: "transfer/failures.test.ts",
    name: "is refused when a part in the store is not what it has now",
  },
  {
    row: 10,
    file: "stores/server/valid-answer.ts",
    guard: "said.sha256 === sent.sha256",
    without: "said.sha256.length === sent.sha256.length",
    test: "stores/lying-server.test.ts",
    name: "is not believed with",
  },
  {
    row: 12,
    file: "transfer/concurrency.ts",
    guard: "this.#decrease(0.5, startedAt, now);",
    without: "this.#decrease(1, startedAt, now);",
    test: "transfer/pacing.test.ts",
    name: "are halved once for all refusals of one moment",
  },
  {
    row: 13,
    file: "transfer/outage.ts",
    guard: "const waitMs = askedMs + Math.random()",
    without: "const waitMs = Math.random()",
    test: "transfer/failures.test.ts",
    name: "is given the time it asks for",
  },
  {
    row: 27,
    file: "platform/journal.ts",
    guard: "held.pid !== process.pid && startOf(held.pid) === held.start",
    without: "held.pid === process.pid && startOf(held.pid) !== held.start",
    test: "platform/journal.test.ts",
    name: "gives a claim to one living process",
  },
  {
    row: 28,
    file: "transfer/already-stored.ts",
    guard: "if (stored.sha256 !== sha256) throw conflict;",
    without: "",
    test: "transfer/transfer-file.test.ts",
    name: "refuses a key that holds other bytes of the same size",
  },
  {
    row: 38,
    file: "platform/source-file.ts",
    guard: "flag(constants.O_NOFOLLOW)",
    without: "flag(0)",
    test: "platform/files.test.ts",
    name: "refuses to open a link",
  },
  {
    row: 45,
    file: "transfer/part-size.ts",
    guard: "if (sizeBytes > maxObjectBytes || chosen < needed)",
    without: "if (sizeBytes < 0)",
    test: "transfer/transfer-file.test.ts",
    name: "does not exist for",
  },
  {
    row: 46,
    file: "stores/directory/uploads.ts",
    guard:
      "if (there.offset === offset && there.length === length && there.sha256 === sha256) return;",
    without: "if (there.offset === offset) return;",
    test: "stores/directory.test.ts",
    name: "even of the same bytes",
  },
  {
    row: 48,
    file: "transfer/transfer-file.ts",
    guard: "if (stored.sha256 === sha256 && sizeBytes === entry.sizeBytes)",
    without: "if (sizeBytes === entry.sizeBytes)",
    test: "transfer/failures.test.ts",
    name: "is not believed when it speaks of other bytes",
  },
  {
    row: 49,
    file: "stores/directory/parts.ts",
    guard: "if (sha256Of(bytes) !== part.sha256)",
    without: "if (sha256Of(bytes) === part.sha256.toUpperCase())",
    test: "stores/directory.test.ts",
    name: "refuses a part whose byte was flipped",
  },
  {
    row: 52,
    file: "transfer/send-unchanged.ts",
    guard: 'if (!hasCode(error, "integrity.mismatch")) throw error;',
    without: 'if (!hasCode(error, "conflict.exists")) throw error;',
    test: "transfer/failures.test.ts",
    name: "goes on when a part was changed on its way once",
  },
  {
    row: 53,
    file: "transfer/send-unchanged.ts",
    guard: "if (sha256Of(bytes) === sha256) return;",
    without: "if (bytes.length >= 0) return;",
    test: "transfer/failures.test.ts",
    name: "finds bytes that changed in this computer's own memory",
  },
  {
    row: 55,
    file: "transfer/send-part.ts",
    guard: "if (!isCut || part.length < leastCutBytes) throw error;",
    without: "throw error;",
    test: "faults/answers.test.ts",
    name: "in ever shorter parts",
  },
  {
    row: 8,
    file: "stores/directory/uploads.ts",
    guard: "await content.datasync();",
    without: "",
    test: "e2e/disks.test.ts",
    name: "a power cut takes nothing that was acknowledged",
    built: true,
  },
  {
    row: 8,
    file: "stores/directory/parts-log.ts",
    guard: 'await append(log, "-", part).catch(() => undefined);',
    without: "",
    test: "e2e/disks.test.ts",
    name: "a power cut takes nothing that was acknowledged",
    built: true,
  },
  {
    row: 10,
    file: "stores/server/upload-calls.ts",
    guard: "if (said !== undefined) throw",
    without: "if (said === null) throw",
    test: "stores/lying-server.test.ts",
    name: "is not believed of a part where the answer is a page",
  },
  {
    row: 11,
    file: "transfer/transfer-file.ts",
    guard: 'if (!hasCode(error, "not-found.upload")) throw error;',
    without: "throw error;",
    test: "faults/answers.test.ts",
    name: "begun anew where the upload is gone",
  },
  {
    row: 13,
    file: "stores/server/http.ts",
    guard: 'Date.parse(headers.date ?? "")',
    without: "Number.NaN",
    test: "faults/answers.test.ts",
    name: "having waited as long as was asked",
  },
  {
    row: 47,
    file: "stores/server/upload-calls.ts",
    guard: "offset < end ||",
    without: "",
    test: "stores/lying-server.test.ts",
    name: "is not believed with parts that overlap",
  },
  {
    row: 59,
    file: "platform/source-file.ts",
    guard: "stat.dev === device",
    without: "true",
    test: "e2e/disks.test.ts",
    name: "because it is a network drive that drops away",
    built: true,
  },
  {
    row: 63,
    file: "transfer/parking.ts",
    guard: "parkingMs = 2500",
    without: "parkingMs = 25_000",
    test: "e2e/interrupted.test.ts",
    name: "is gone within 3 s of one",
    built: true,
  },
  {
    row: 63,
    file: "main/signals.ts",
    guard: "if (controller.signal.aborted)",
    without: "if (controller.signal.aborted && known === undefined)",
    test: "e2e/interrupted.test.ts",
    name: "is gone at once when told twice",
    built: true,
  },
  {
    row: 62,
    file: "transfer/paced.ts",
    guard: "ms >= this.#limitUntil || ms < this.#limitUntil - minuteMs",
    without: "this.#limitUntil === -Infinity",
    test: "transfer/pacing.test.ts",
    name: "changes in mid-transfer",
  },
];

const project = resolve(import.meta.dirname, "..");
const copy = mkdtempSync(join(tmpdir(), "exhibit-mutate-"));
try {
  for (const part of ["src", "test", "package.json", "dist", "bin"]) {
    cpSync(join(project, part), join(copy, part), { recursive: true });
  }
  symlinkSync(join(project, "node_modules"), join(copy, "node_modules"));
  const survived = mutations.filter((mutation) => !isCaught(mutation));
  stdout.write(`${mutations.length - survived.length} of ${mutations.length} guards are missed.\n`);
  if (survived.length > 0) process.exitCode = 1;
} finally {
  rmSync(copy, { recursive: true, force: true });
}

/**
 * @param {Mutation} mutation
 * @returns {boolean} true when the test passes with its guard, and fails without
 */
function isCaught({ row, file, guard, without, test, name, built }) {
  const path = built ? join(copy, "dist", file.replace(/\.ts$/, ".js")) : join(copy, "src", file);
  const text = readFileSync(path, "utf8");
  if (!text.includes(guard)) {
    stdout.write(`row ${row}: ${file} has no such guard any more: ${guard}\n`);
    return false;
  }
  const passes = runs(test, name);
  writeFileSync(path, text.replace(guard, without));
  const isMissed = !runs(test, name);
  writeFileSync(path, text);
  const caught = passes && isMissed;
  stdout.write(`row ${row}: ${caught ? "missed" : "NOT MISSED"}: ${file}: ${guard}\n`);
  return caught;
}

/**
 * @param {string} test
 * @param {string} name
 * @returns {boolean} true when the tests of that name pass, and there are some
 */
function runs(test, name) {
  const { status, stderr } = spawnSync(
    execPath,
    [
      "--experimental-vm-modules",
      "--disable-warning=ExperimentalWarning",
      join(project, "node_modules", "jest", "bin", "jest.js"),
      ...["--rootDir", copy, "--forceExit", "--testTimeout", "20000"],
      ...[join("test", test), "-t", name.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")],
    ],
    { cwd: copy, encoding: "utf8", timeout: 120_000 },
  );
  return status === 0 && /Tests:.* [1-9][0-9]* passed/.test(stderr);
}
