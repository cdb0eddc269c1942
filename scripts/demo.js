// `npm run demo`: the main job on this machine, from footage to a revoked link, with nothing configured. With `-- --store s3://...` the
// server keeps the content in that bucket; keys are found as AWS tools find them. With `-- --store box:` the same story runs on a simulated
// Box, without a server.
import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { once } from "node:events";
import { tmpdir } from "node:os";
import path from "node:path";
import { parseArgs, promisify } from "node:util";
import { boxDemo } from "./demo/box-story.js";
import { exhibit, person, serve } from "./demo/command.js";
import { killHalfWay } from "./demo/killed.js";
import { makeMedia } from "./demo/media.js";
import { get, listen, openLink, segmentsOf, watch } from "./demo/recipient.js";
import { say, sha256, size, step } from "./demo/telling.js";
import { installTools } from "./install-tools.js";

const run = promisify(execFile);
const { values: options } = parseArgs({
  options: { "keep-serving": { type: "boolean", default: false }, store: { type: "string" } },
});
const keepServing = options["keep-serving"];
/** Where the server keeps the content; its data folder, when left out. */
const bucket = options.store;
/** The story is told of a store in Box, which needs no server of ours. */
const isBox = bucket?.startsWith("box") === true;
const caseReference = "DEMO/42/26";
const output = path.resolve("demo-output");

/**
 * Takes the picture one second into a film of 25 frames a second.
 *
 * @param {string} film
 * @param {string} picture
 */
async function frame(film, picture) {
  await run("ffmpeg", [
    ...["-nostdin", "-y", "-loglevel", "error", "-i", film],
    ...["-vf", "select=eq(n\\,25)", "-frames:v", "1", picture],
  ]);
  await stat(picture);
}

/** @param {string} work */
async function demo(work) {
  const began = Date.now();
  const folder = path.join(work, "footage");
  await mkdir(folder);
  await rm(output, { recursive: true, force: true });
  await mkdir(output);

  step("1. Footage (synthetic)");
  const media = await makeMedia(folder);
  for (const file of Object.values(media)) {
    say(`   ${path.basename(file).padEnd(20)} ${size((await stat(file)).size).padStart(8)}`);
  }

  step("2. A server, an officer and a garage");
  const admin = person(path.join(work, "admin"));
  const invitationFile = path.join(work, "first-invitation.txt");
  const data = path.join(work, "server");
  const server = await serve(admin, [
    ...["--data", data, "--organisation", "Example Police", "--invitation-file", invitationFile],
    ...(bucket === undefined ? [] : ["--store", bucket]),
  ]);
  try {
    await story();
    say(
      `\nDone in ${((Date.now() - began) / 1000).toFixed(0)} seconds. Pictures and the receipt: ${output}`,
    );
  } finally {
    await server.stop();
  }

  /**
   * @param {string} name
   * @param {string} role
   * @param {string} organisation
   */
  async function enrol(name, role, organisation) {
    const who = person(path.join(work, name));
    const made = await exhibit(admin, ["invite", "create", "--role", role, "--org", organisation]);
    await exhibit(who, ["login", server.url, "--invite-stdin"], made.code);
    say(
      `   ${organisation} is enrolled as ${role}; its key is in a key file (a fresh machine has no keychain)`,
    );
    return who;
  }

  /**
   * The stored bytes as a file: in the server's folder, or fetched from the bucket.
   *
   * @param {import("./demo/command.js").Person} who
   * @param {string} address
   * @param {string} key
   */
  async function storedFile(who, address, key) {
    if (bucket === undefined) return path.join(data, "content", key);
    const folder = path.join(work, "fetched");
    await exhibit(who, ["download", address, "--to", folder]);
    return path.join(folder, path.basename(media.clip));
  }

  async function story() {
    say(`   exhibit serve listens on ${server.url}`);
    const first = await readFile(invitationFile, "utf8");
    await exhibit(admin, ["login", server.url, "--invite-stdin"], first);
    const officer = await enrol("officer", "officer", "Example Police Collision Unit");
    const garage = await enrol("garage", "partner", "Garage North");

    step("3. The garage uploads; the program is killed half-way, and the same command goes on");
    const clipBytes = (await stat(media.clip)).size;
    const upload = [
      ...["upload", media.clip, "--case", caseReference, "--ref", "GN/1"],
      ...["--title", "Bus 42, upper deck", "--part-size", "256K", "--concurrency", "2"],
    ];
    const arrived = await killHalfWay(garage, upload, clipBytes);
    say(`   SIGKILL after ${size(arrived)} of ${size(clipBytes)}`);
    const { exhibits } = await exhibit(garage, upload);
    const [clip] = exhibits;
    say(
      `   the same command: ${size(clip.bytesSkipped)} were there, ${size(clip.bytesSent)} sent, ${clip.outcome}`,
    );
    const others = [media.call, media.photo, media.statement];
    const rest = await exhibit(garage, [
      "upload",
      ...others,
      "--case",
      caseReference,
      "--initials",
      "GN",
    ]);
    for (const one of rest.exhibits) say(`   ${one.case}:${one.reference} ${one.outcome}`);

    step("4. The receipt, signed by the server");
    const [held] = clip.receipt.files;
    say(`   ${clip.case}:${clip.reference}  ${held.sizeBytes} bytes  proof: ${held.proof}`);
    say(`   SHA-256 ${held.digest.sha256}`);
    const kept = path.join(output, "GN_1.receipt.json");
    await run("cp", [clip.receiptPath, kept]);
    await exhibit(garage, ["receipt", "verify", kept, media.clip]);
    say("   exhibit receipt verify: the signature and the file fit, checked without a network");

    step("5. The officer shares the video with one named person");
    const recipient = { name: "Jo Prosecutor", email: "jo@cps.example" };
    const address = `${caseReference}:GN/1`;
    const shared = await exhibit(
      officer,
      [
        "share",
        "create",
        address,
        "--recipient",
        "-",
        "--expires",
        "7d",
        "--purpose",
        "Charging decision",
      ],
      JSON.stringify(recipient),
    );
    say(`   share ${shared.share.id} for ${recipient.name}; link and access code go separate ways`);

    step("6. The recipient opens the link");
    const { before, visit } = await openLink(shared.link, shared.code);
    if (before.includes("GN/1")) throw new Error("The page tells something before the code.");
    const segments = await segmentsOf(visit);
    const [segment] = segments;
    if (segment === undefined) throw new Error("The playlist is empty.");
    const film = path.join(work, "as-seen.ts");
    const seen = Buffer.from(await (await get(visit, segment)).arrayBuffer());
    await writeFile(film, seen);
    await frame(media.clip, path.join(output, "master.jpg"));
    await frame(film, path.join(output, "as-seen.jpg"));
    say(
      `   ${segments.length} segments, marked for this share alone; compare master.jpg with as-seen.jpg`,
    );

    step("7. The stored bytes are the bytes at the source");
    const stored = await storedFile(officer, address, held.key);
    const [there, here] = await Promise.all([sha256(stored), sha256(media.clip)]);
    if (there !== here || here !== held.digest.sha256) throw new Error("The digests differ.");
    await exhibit(officer, ["verify", address]);
    say("   exhibit verify checked everything; the file in the store has the source's SHA-256");

    step("8. Revoked while it is being watched");
    const line = await listen(visit);
    const watching = watch(visit, segments);
    const asked = Date.now();
    const revoked = await exhibit(officer, ["share", "revoke", shared.share.id]);
    await line.ended;
    const { served, refusedWith, at } = await watching;
    say(
      `   sessions cut: ${revoked.sessionsCut}; the page and the player knew ${at - asked} ms after the command was typed`,
    );
    say(`   the player had ${served} segments; the next was refused with ${refusedWith}`);
    const page = await get(visit, visit.link);
    if (page.ok) throw new Error("The link still serves something.");
    const left = await readdir(path.join(data, "scratch"), { recursive: true });
    if (left.some((name) => name.includes(shared.share.id))) throw new Error("A copy is left.");
    say(`   the link answers ${page.status}; nothing of the copies is left on the disk`);
    const { events } = await exhibit(officer, ["share", "log", shared.share.id]);
    say(`   the share's log has ${events.length} entries, the first: ${events[0].kind}`);

    if (keepServing) {
      const again = await exhibit(
        officer,
        ["share", "create", address, "--recipient", "-", "--expires", "1d"],
        JSON.stringify(recipient),
      );
      say(`\nOpen ${again.link}\nand give the code ${again.code}. Ctrl-C ends it.`);
      await Promise.race([once(process, "SIGINT"), once(process, "SIGTERM"), server.ended]);
    }
  }
}

if (!installTools(["ffmpeg"])) process.exit(1);
const work = await mkdtemp(path.join(tmpdir(), "exhibit-demo-"));
try {
  await (isBox ? boxDemo(work, output) : demo(work));
} finally {
  await rm(work, { recursive: true, force: true });
}
