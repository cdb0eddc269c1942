// npm run test:windows: runs the Windows bundle under Debian's wine, a step a line: what the guide says was run there, was.
// wine 8 gives Node no pipes, so that what a step writes goes into files.
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { randomFillSync } from "node:crypto";
import { closeSync, openSync } from "node:fs";
import {
  copyFile,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rm,
  symlink,
  writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { performance } from "node:perf_hooks";
import process, { env, execPath, stdout } from "node:process";
import { createInterface } from "node:readline";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { processPrngDll } from "./process-prng.js";

const root = fileURLToPath(new URL("../../", import.meta.url));
const { version } = JSON.parse(await readFile(path.join(root, "package.json"), "utf8"));
// A blank in the path, as in "C:\Users\Bus Garage".
const work = await mkdtemp(path.join(tmpdir(), "exhibit wine "));
const bundle = path.join(work, `exhibit-win-x64-${version}`);
const wineEnv = {
  ...env,
  WINEPREFIX: path.join(work, "prefix"),
  WINEDEBUG: "-all",
  WINEARCH: "win64",
  // wine 8 refuses an option of sockets (TCP_KEEPALIVE), and with it the connection that has it.
  NODE_OPTIONS: "--require C:/no-keep-alive.cjs",
  EXHIBIT_KEY_FILE: onWindows(path.join(work, "keys.json")),
  EXHIBIT_INITIALS: "ABC",
};
const stepMs = 120_000;

/** As wine names a place of this machine. @param {string} place */
function onWindows(place) {
  return `Z:${place.replaceAll("/", "\\")}`;
}

const exhibitCmd = ["cmd", "/c", "exhibit.cmd"];
const node = "node/node.exe";

/** Runs `exhibit.cmd`, or another program. @param {string[]} argv @param {string} [input] a file for stdin @param {string[]} [program] */
async function exhibit(argv, input = "/dev/null", program = exhibitCmd) {
  const running = begin(argv, input, program);
  const code = await running.ended;
  return { code, ...(await running.said()) };
}

/** @param {string[]} argv @param {string} [input] @param {string[]} [program] */
function begin(argv, input = "/dev/null", program = exhibitCmd) {
  const files = ["out", "err"].map((name) => path.join(work, name));
  const [inFd, ...outFds] = [openSync(input, "r"), ...files.map((file) => openSync(file, "w"))];
  const child = spawn("wine", [...program, ...argv], {
    cwd: bundle,
    env: wineEnv,
    stdio: [inFd, ...outFds],
    timeout: stepMs,
  });
  for (const fd of [inFd, ...outFds]) closeSync(fd);
  /** @type {Promise<number | null>} */
  const ended = new Promise((resolve) => child.once("close", resolve));
  return {
    child,
    ended,
    said: async () => {
      const [out = "", err = ""] = await Promise.all(files.map((file) => readFile(file, "utf8")));
      return { out, err };
    },
  };
}

/** Runs the program at a console until some of a file has arrived, and presses Ctrl-C. @param {string[]} argv */
async function interrupted(argv) {
  const words = ["wine", node, "app/bin/exhibit.js", ...argv].map((word) => `'${word}'`);
  const child = spawn("script", ["-qefc", `stty cols 120; exec ${words.join(" ")}`, "/dev/null"], {
    cwd: bundle,
    env: wineEnv,
    timeout: stepMs,
  });
  let shown = "";
  child.stdout.on("data", (bytes) => {
    shown += String(bytes);
    if (child.stdin.writable && /[1-9] MiB of/.test(shown)) child.stdin.end("\x03");
  });
  /** @type {number | null} */
  const code = await new Promise((resolve) => child.once("close", resolve));
  return { code, shown };
}

/** @param {string} what @param {() => Promise<void>} work_ */
async function step(what, work_) {
  const startedAt = performance.now();
  await work_();
  stdout.write(`ok  ${what}  (${((performance.now() - startedAt) / 1000).toFixed(1)} s)\n`);
}

/** @param {string[]} argv */
async function serve(argv) {
  const child = spawn(execPath, [path.join(root, "bin/exhibit.js"), "serve", ...argv], {
    env: { ...env, EXHIBIT_STATE_DIR: path.join(work, "state") },
    stdio: ["ignore", "pipe", "ignore"],
  });
  for await (const line of createInterface({ input: child.stdout })) {
    return { child, url: JSON.parse(line).url };
  }
  throw new Error("The server did not start.");
}

/** Ends everything that runs in this prefix, as a power cut does. */
function killAll() {
  spawnSync("wineserver", ["-k9"], { env: wineEnv });
}

/** Secrets that grow and shrink: how long each was, whether it came back, and how many entries it had. */
const keychainStory = `
  import keytar from "./app/node_modules/keytar/lib/keytar.js";
  import { keychainOn } from "./app/dist/platform/secrets/keychain.js";
  const keychain = keychainOn(process.platform);
  const name = "sso-login:https://met.example";
  const told = [];
  const tell = async (secret) => {
    const isSame = (await keychain.get(name) ?? "") === secret;
    const accounts = (await keytar.findCredentials("exhibit")).map(({ account }) => account);
    told.push([secret.length, isSame, accounts.filter((account) => account.startsWith(name)).length]);
  };
  for (const length of [5, 2560, 2561, 14000, 20000, 10]) {
    await keychain.set(name, "t".repeat(length));
    await tell("t".repeat(length));
  }
  await keychain.delete(name);
  await tell("");
  console.log(JSON.stringify(told));`;

const invitation = path.join(work, "invitation");
const { child: server, url } = await serve([
  ...[
    "--port",
    "0",
    "--json",
    "--data",
    path.join(work, "server"),
    "--invitation-file",
    invitation,
  ],
]);
try {
  await step("the zip is unpacked, and every fingerprint in SHA256SUMS is right", async () => {
    const zip = path.join(root, "portable", `exhibit-win-x64-${version}.zip`);
    assert.equal(spawnSync("python3", ["-m", "zipfile", "-e", zip, work]).status, 0);
    const sums = spawnSync("sha256sum", ["--check", "--quiet", "SHA256SUMS"], { cwd: bundle });
    assert.equal(sums.status, 0, String(sums.stdout));
  });
  await step("a prefix of wine's own, as Windows 10", async () => {
    spawnSync("wineboot", ["-i"], { env: wineEnv, timeout: stepMs });
    spawnSync("wine", ["winecfg", "-v", "win10"], { env: wineEnv, timeout: stepMs });
    const drive = path.join(wineEnv.WINEPREFIX, "drive_c");
    const system = path.join(drive, "windows/system32");
    const keepsNotAlive =
      'require("node:net").Socket.prototype.setKeepAlive = function () { return this; };';
    await writeFile(path.join(drive, "no-keep-alive.cjs"), keepsNotAlive);
    await writeFile(path.join(system, "bcryptprimitives.dll"), processPrngDll());
  });
  await step("exhibit.cmd --version, from a folder with a blank in its name", async () => {
    assert.deepEqual(await exhibit(["--version"]), { code: 0, out: `${version}\n`, err: "" });
  });
  await step("exhibit.cmd --help", async () => {
    const { code, out } = await exhibit(["--help"]);
    assert.equal(code, 0);
    assert.match(out, /Moves police evidence/);
  });
  await step("exit codes come through: 2 and 5", async () => {
    assert.equal((await exhibit(["nonsense"])).code, 2);
    assert.equal((await exhibit(["smoke", "nowhere"])).code, 5);
  });
  const store = path.join(work, "store");
  const file = path.join(work, "bus 42.mp4");
  await step("a store in a folder: upload, again, verify, smoke", async () => {
    await mkdir(store);
    await writeFile(file, randomFillSync(Buffer.alloc(20_000_000)));
    assert.equal((await exhibit(["store", "add", "disk", onWindows(store)])).code, 0);
    const upload = ["upload", onWindows(file), "--case", "WIN/1", "--initials", "ABC", "--json"];
    const first = await exhibit(upload);
    assert.equal(first.code, 0, first.err);
    const again = await exhibit(upload);
    assert.match(again.out, /"already-present"/);
    assert.equal((await exhibit(["verify", "WIN/1:ABC/1"])).code, 0);
    assert.equal((await exhibit(["smoke", "--json"])).code, 0);
    assert.deepEqual((await readdir(store)).sort(), [".uploads", "WIN_1"]);
  });
  await step("what it remembers lies in %LOCALAPPDATA%", async () => {
    const users = path.join(wineEnv.WINEPREFIX, "drive_c/users");
    const [user = ""] = (await readdir(users)).filter((name) => name !== "Public");
    const local = await readdir(path.join(users, user, "AppData/Local/exhibit"));
    assert.deepEqual(local.sort(), ["config", "state"]);
  });
  await step("a backslash before the closing quotation mark is understood", async () => {
    // As the C runtime hands on "Z:\\…\\": with a quotation mark at its end.
    const dry = ["--case", "WIN/9", "--initials", "ABC", "--dry-run"];
    const { code, err } = await exhibit(["upload", `${onWindows(store)}"`, ...dry]);
    assert.equal(code, 0, err);
  });
  /** @param {string} named @param {string} taken what comes behind its case and reference */
  const uploads = async (named, taken) => {
    const { code, out, err } = await exhibit(["upload", named, "--case", "WIN/4", "--json"]);
    assert.equal(code, 0, err);
    assert.match(out, new RegExp(`"${taken}"`));
  };
  await step("paths of more than 260 letters, also behind \\\\?\\, and back again", async () => {
    const deep = path.join(work, ...["a", "b", "c"].map((letter) => letter.repeat(90)));
    await mkdir(deep, { recursive: true });
    await copyFile(file, path.join(deep, "deep.mp4"));
    await uploads(onWindows(path.join(deep, "deep.mp4")), "uploaded");
    await uploads(`\\\\?\\${onWindows(path.join(deep, "deep.mp4"))}`, "already-present");
    const to = onWindows(path.join(deep, "back"));
    const { code, err } = await exhibit(["download", "WIN/4:ABC/1", "--to", to]);
    assert.equal(code, 0, err);
    const back = await readFile(path.join(deep, "back", "deep.mp4"));
    assert.ok(back.equals(await readFile(file)));
  });
  await step("a share: \\\\nas\\cctv as a source, \\\\nas\\evidence as a store", async () => {
    const nas = path.join(wineEnv.WINEPREFIX, "dosdevices/unc/nas");
    await mkdir(nas, { recursive: true });
    for (const share of ["cctv", "evidence"]) {
      await mkdir(path.join(work, share));
      await symlink(path.join(work, share), path.join(nas, share));
    }
    await copyFile(file, path.join(work, "cctv", "aux.mp4"));
    assert.equal((await exhibit(["store", "add", "nas", "\\\\nas\\evidence\\"])).code, 0);
    const listed = await exhibit(["store", "add", "same", "\\\\?\\UNC\\nas\\evidence"]);
    assert.match(listed.out, /file:\/\/nas\/evidence\n/);
    const upload = ["upload", "\\\\nas\\cctv", "--case", "WIN/5", "--store", "nas"];
    const sent = await exhibit(upload);
    assert.equal(sent.code, 0, sent.err);
    assert.equal((await exhibit(["verify", "WIN/5:ABC/1", "--store", "nas"])).code, 0);
    assert.equal((await exhibit(["smoke", "nas"])).code, 0);
  });
  await step("devices are no files: CON, NUL, COM1", async () => {
    for (const name of ["CON", "NUL", "COM1"]) {
      assert.equal((await exhibit(["upload", name, "--case", "WIN/6"])).code, 5, name);
    }
    assert.equal((await exhibit(["upload", "\\\\.\\NUL", "--case", "WIN/6"])).code, 2);
  });
  await step(
    "the Credential Manager keeps secrets of any length, and the machine's key",
    async () => {
      const program = path.join(bundle, "keychain.mjs");
      await writeFile(program, keychainStory);
      const { code, out, err } = await exhibit([], "/dev/null", [node, "keychain.mjs"]);
      assert.equal(code, 0, err);
      assert.deepEqual(JSON.parse(out), [
        [5, true, 1],
        [2560, true, 1],
        [2561, true, 3],
        [14_000, true, 7],
        [20_000, true, 9],
        [10, true, 1],
        [0, true, 0],
      ]);
      const { EXHIBIT_KEY_FILE, ...withoutFile } = wineEnv;
      wineEnv.EXHIBIT_KEY_FILE = "";
      const doctor = await exhibit(["doctor", "--json"]);
      const own = await exhibit(["upload", onWindows(file), "--case", "WIN/7"]);
      const again = await exhibit(["verify", "WIN/7:ABC/1"]);
      Object.assign(wineEnv, withoutFile, { EXHIBIT_KEY_FILE });
      assert.match(doctor.out, /the keychain of this computer answers/);
      assert.equal(own.code, 0, own.err);
      assert.equal(again.code, 0, again.err);
    },
  );
  await step("schtasks takes the task of resume --at-startup, and its end", async () => {
    const tasks = path.join(wineEnv.WINEPREFIX, "drive_c/windows/system32/tasks");
    assert.equal((await exhibit(["resume", "--at-startup"])).code, 0);
    assert.deepEqual(await readdir(tasks), ["exhibit-resume"]);
    assert.equal((await exhibit(["resume", "--at-startup", "--remove"])).code, 0);
    assert.deepEqual(await readdir(tasks), []);
  });
  await step("doctor", async () => {
    const { code, out } = await exhibit(["doctor", "--json"]);
    assert.equal(code, 0, out);
    assert.match(out, /"hash-speed","verdict":"ok"/);
  });
  await step("login at a server, upload there, verify, smoke with sharing", async () => {
    const enrolled = await exhibit(["login", url, "--invite-stdin"], invitation);
    assert.equal(enrolled.code, 0, enrolled.err);
    const upload = ["upload", onWindows(file), "--case", "WIN/2", "--initials", "ABC"];
    const sent = await exhibit([...upload, "--store", "local"]);
    assert.equal(sent.code, 0, sent.err);
    assert.equal((await exhibit(["verify", "WIN/2:ABC/1", "--store", "local"])).code, 0);
    const smoked = await exhibit(["smoke", "local", "--json"]);
    assert.equal(smoked.code, 0, smoked.out);
  });
  await step("Ctrl-C at a console stops it cleanly, with a bar until then", async () => {
    const upload = ["upload", onWindows(file), "--case", "WIN/8", "--store", "local"];
    const { code, shown } = await interrupted([
      ...upload,
      "--bwlimit",
      "1M",
      "--part-size",
      "256K",
    ]);
    assert.equal(code, 130, shown);
    assert.match(shown, /stopping; Ctrl-C again leaves at once/);
    assert.match(shown, /Stopped as asked\./);
    assert.equal((await exhibit(["resume"])).code, 0);
    assert.equal((await exhibit(["verify", "WIN/8:ABC/1", "--store", "local"])).code, 0);
  });
  await step("killed in mid-upload; resume sends only what is missing", async () => {
    const upload = ["upload", onWindows(file), "--case", "WIN/3", "--initials", "ABC"];
    const slow = ["--store", "local", "--bwlimit", "2M", "--part-size", "1M", "--progress", "json"];
    const running = begin([...upload, ...slow]);
    while (!/"part-done"(?:[^]*"part-done"){3}/.test((await running.said()).err)) await pause(50);
    killAll();
    await running.ended;
    const resumed = await exhibit(["resume", "--json"]);
    assert.equal(resumed.code, 0, resumed.err);
    const skipped = Number(/"bytesSkipped":(\d+)/.exec(resumed.out)?.[1]);
    assert.ok(skipped >= 3_000_000, resumed.out);
    assert.equal((await exhibit(["verify", "WIN/3:ABC/1", "--store", "local"])).code, 0);
  });
} finally {
  killAll();
  server.kill();
  await rm(work, { recursive: true, force: true });
}
process.exitCode = 0;
