// The main job with a store in Box, which is a simulated one here: no tenant of Box can be reached from a demo.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { cp, mkdir, rm, stat } from "node:fs/promises";
import path from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { json } from "node:stream/consumers";
import { exhibit, person, start } from "./command.js";
import { killHalfWay } from "./killed.js";
import { makeMedia } from "./media.js";
import { say, sha256, size, step } from "./telling.js";

const simulator = fileURLToPath(new URL("../box-simulator.js", import.meta.url));
const caseReference = "DEMO/42/26";
/** Long enough for more than 50,000,000 bytes: such files go to Box in parts. */
const clipSeconds = 40;

/**
 * @typedef {object} Box what the simulator says of itself
 * @property {string} api
 * @property {string} upload
 * @property {string} authorize
 * @property {string} clientId
 * @property {string} clientSecret
 * @property {{ officer: string }} users
 * @property {string} folderId
 * @property {string} fileRequestId
 */

/** @returns {Promise<Box & { stop: () => Promise<void> }>} */
async function startBox() {
  const child = spawn(process.execPath, [simulator], { stdio: ["ignore", "pipe", "inherit"] });
  const closed = once(child, "close");
  for await (const line of createInterface({ input: child.stdout })) {
    return {
      ...JSON.parse(line),
      async stop() {
        child.kill("SIGTERM");
        await closed;
      },
    };
  }
  throw new Error("The simulated Box does not start.");
}

/**
 * @param {string} work
 * @param {string} output
 */
export async function boxDemo(work, output) {
  const began = Date.now();
  const folder = path.join(work, "footage");
  await mkdir(folder);
  await rm(output, { recursive: true, force: true });
  await mkdir(output);
  step("1. Footage (synthetic)");
  const media = await makeMedia(folder, clipSeconds);
  for (const file of Object.values(media)) {
    say(`   ${path.basename(file).padEnd(20)} ${size((await stat(file)).size).padStart(8)}`);
  }
  step("2. A simulated Box, a garage's computer and an officer's");
  const box = await startBox();
  try {
    await story(box, media, work, output);
  } finally {
    await box.stop();
  }
  const seconds = ((Date.now() - began) / 1000).toFixed(0);
  say(`\nDone in ${seconds} seconds. The receipt: ${output}`);
}

/**
 * What the doctor says will not work. It ends with 9 then, as it should.
 *
 * @param {import("./command.js").Person} who
 * @returns {Promise<{ id: string, words: string }[]>}
 */
async function troubles(who) {
  const child = start(who, ["doctor", "box", "--json"]);
  child.stdin.end();
  const { findings } = /** @type {any} */ (await json(child.stdout));
  return findings.filter((/** @type {any} */ { verdict }) => verdict === "will-not-work");
}

/**
 * @param {Box} box
 * @param {Awaited<ReturnType<typeof makeMedia>>} media
 * @param {string} work
 * @param {string} output
 */
async function story(box, media, work, output) {
  const officer = person(path.join(work, "officer"));
  const garage = person(path.join(work, "garage"));
  const url = `box:${box.folderId}?api=${box.api}&upload=${box.upload}&authorize=${box.authorize}`;
  const subject = `user:${box.users.officer}`;
  for (const who of [officer, garage]) {
    await exhibit(who, ["store", "add", "box", url]);
    const as = ["--client-id", box.clientId, "--secret-stdin", "--box-ccg", subject];
    await exhibit(who, ["login", "box", ...as], box.clientSecret);
  }
  say("   signed in by client credentials; a person would do so on Box's page");
  say("   exhibit doctor box: what would not work in this tenant");
  for (const { id, words } of await troubles(officer)) say(`     ${id}: ${words}`);

  step("3. The garage uploads; the program is killed half-way, and the same command goes on");
  const upload = [
    ...["upload", media.clip, "--store", "box", "--case", caseReference, "--ref", "GN/1"],
    ...["--title", "Bus 42, upper deck", "--concurrency", "2"],
  ];
  const clipBytes = (await stat(media.clip)).size;
  const arrived = await killHalfWay(garage, upload, clipBytes);
  say(`   SIGKILL after ${size(arrived)} of ${size(clipBytes)}`);
  const { exhibits } = await exhibit(garage, upload);
  const [clip] = exhibits;
  say(`   the same command: ${size(clip.bytesSkipped)} were there, ${size(clip.bytesSent)} sent`);
  const rest = [media.call, media.photo, media.statement];
  const more = [...rest, "--store", "box", "--case", caseReference, "--initials", "GN"];
  for (const one of (await exhibit(garage, ["upload", ...more])).exhibits) {
    say(`   ${one.case}:${one.reference} ${one.outcome}`);
  }

  step("4. The receipt, signed by the garage's computer");
  const [held] = clip.receipt.files;
  say(`   ${clip.case}:${clip.reference}  ${held.sizeBytes} bytes  proof: ${held.proof}`);
  say(`   SHA-256 ${held.digest.sha256}, and Box's own SHA-1 ${held.kept.checksums.sha1}`);
  const kept = path.join(output, "GN_1.receipt.json");
  await cp(clip.receiptPath, kept);
  await exhibit(garage, ["receipt", "verify", kept, media.clip]);
  say("   exhibit receipt verify: the signature and the file fit, checked without a network");

  step("5. The officer trusts the garage's key; what lies in Box is what was at the source");
  const { keys } = await exhibit(garage, ["key", "list"]);
  const { thumbprint } = keys.find((/** @type {any} */ one) => one.whose === "this machine");
  await exhibit(officer, ["key", "trust", "--key", thumbprint, "--whose", "Garage North"]);
  say(`   exhibit key trust --key ${thumbprint}: as the garage read it out`);
  const address = `${caseReference}:GN/1`;
  await exhibit(officer, ["verify", address, "--store", "box"]);
  say("   exhibit verify: size and SHA-1, as Box tells them");
  await exhibit(officer, ["verify", address, "--deep", "--store", "box"]);
  say("   exhibit verify --deep: every byte read back, and its SHA-256");
  const back = path.join(work, "back");
  await exhibit(officer, ["download", address, "--to", back, "--store", "box"]);
  const [there, here] = await Promise.all([
    sha256(path.join(back, path.basename(media.clip))),
    sha256(media.clip),
  ]);
  if (there !== here || here !== held.digest.sha256) throw new Error("The digests differ.");

  step("6. The officer shares the photo with one named person outside the force");
  const photo = `${caseReference}:GN/3`;
  const recipient = { name: "Jo Prosecutor", email: "jo@cps.example" };
  const shared = await exhibit(
    officer,
    ["share", "create", photo, "--store", "box", "--recipient", "-", "--expires", "7d"],
    JSON.stringify(recipient),
  );
  say(
    `   share ${shared.share.id} for ${recipient.name}: a copy of her own, marked, then the link`,
  );
  for (const warning of shared.warnings) say(`   note: ${warning}`);
  const closed = await fetch(shared.link);
  const opened = await fetch(`${shared.link}?password=${encodeURIComponent(shared.code)}`);
  if (closed.ok || !opened.ok) throw new Error("The link does not ask for its code.");
  say(`   without the code the link answers ${closed.status}, with it ${opened.status}`);

  step("7. Who looked");
  const { events } = await exhibit(officer, ["share", "log", shared.share.id, "--store", "box"]);
  for (const { kind, source } of events) say(`   ${kind}, told by ${source}`);

  step("8. Revoked");
  await exhibit(officer, ["share", "revoke", shared.share.id, "--store", "box"]);
  const after = await fetch(`${shared.link}?password=${encodeURIComponent(shared.code)}`);
  if (after.ok) throw new Error("The link still shows something.");
  say(`   link and copy are gone, which Box confirmed: the link answers ${after.status}`);

  step("9. A council without a licence hands files in");
  const { request } = await exhibit(officer, [
    ...["request", "create", "--store", "box", "--case", caseReference],
    ...["--box-file-request", box.fileRequestId, "--expires", "7d"],
  ]);
  const page = await fetch(request.url);
  await exhibit(officer, ["request", "close", request.id, "--store", "box"]);
  const gone = await fetch(request.url);
  if (!page.ok || gone.ok) throw new Error("The request's page is not what it should be.");
  say(`   its page answered ${page.status}; closed again, ${gone.status}`);
}
