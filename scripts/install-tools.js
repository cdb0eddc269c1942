// Checks for the system programs that the demo and the tests use, says how to install what is missing, and does so where
// it may: node scripts/install-tools.js ffmpeg browser ocr pdf strace openssl keyring
import { spawnSync } from "node:child_process";
import { accessSync, constants, existsSync, readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import process, { argv, env, getuid, platform, stderr } from "node:process";
import { fileURLToPath } from "node:url";

/**
 * @typedef {{ packages: string[], missing: () => string[] }} Tool
 * What Debian calls it, and the names of what is not there.
 */

/** @type {Record<string, Tool>} */
const tools = {
  ffmpeg: {
    packages: ["ffmpeg", "fonts-dejavu-core"],
    missing: () => [...programs("ffmpeg", "ffprobe"), ...font()],
  },
  browser: {
    packages: ["chromium"],
    missing: () => (programs("chromium").length > 0 ? programs("chromium-browser") : []),
  },
  ocr: { packages: ["tesseract-ocr"], missing: () => programs("tesseract") },
  pdf: { packages: ["poppler-utils"], missing: () => programs("pdftotext") },
  strace: { packages: ["strace"], missing: () => programs("strace") },
  openssl: { packages: ["openssl"], missing: () => programs("openssl") },
  time: { packages: ["time"], missing: () => programs("time") },
  rclone: { packages: ["rclone"], missing: () => programs("rclone") },
  nginx: { packages: ["nginx"], missing: () => programs("nginx") },
  curl: { packages: ["curl"], missing: () => programs("curl") },
  awscli: { packages: ["awscli"], missing: () => debians("aws") },
  s3cmd: { packages: ["s3cmd"], missing: () => programs("s3cmd") },
  ceph: {
    packages: ["ceph-mon", "ceph-osd", "ceph-common", "radosgw"],
    missing: () =>
      programs("ceph", "ceph-mon", "ceph-osd", "monmaptool", "radosgw", "radosgw-admin"),
  },
  swift: {
    packages: [
      ...["swift-proxy", "swift-account", "swift-container", "swift-object"],
      ...["python3-swift", "memcached"],
    ],
    missing: () =>
      programs(
        ...["swift-proxy-server", "swift-account-server", "swift-container-server"],
        ...["swift-object-server", "swift-ring-builder", "memcached"],
      ),
  },
  webkit: {
    packages: ["webkit2gtk-driver", "xvfb", "gstreamer1.0-libav", "gstreamer1.0-plugins-bad"],
    missing: () => [...programs("WebKitWebDriver", "Xvfb"), ...gstreamer("libav", "mpegtsdemux")],
  },
  wine: { packages: ["wine64", "wine"], missing: () => programs("wine") },
  shells: { packages: ["zsh", "fish"], missing: () => programs("zsh", "fish") },
  man: { packages: ["mandoc"], missing: () => programs("mandoc") },
  systemd: { packages: ["systemd"], missing: () => programs("systemd-analyze") },
  keyring: {
    packages: ["gnome-keyring", "dbus-daemon", "libsecret-1-0"],
    missing: () => [...programs("gnome-keyring-daemon", "dbus-run-session"), ...libsecret()],
  },
};

/**
 * Makes sure that the named groups of tools are there. Says on stderr what it does; says nothing when nothing is missing.
 *
 * @param {readonly string[]} names `ffmpeg`, `browser`, `ocr`, `pdf`, `strace`, `openssl`, `keyring`, `time`, `rclone`,
 * `nginx`, `curl`, `awscli`, `s3cmd`, `ceph`, `swift`, `webkit`, `wine`, `shells`, `man`, `systemd`
 * @returns {boolean} true when all is there, at the start or after installing
 */
export function installTools(names) {
  const wanted = names.map(toolCalled);
  const missing = wanted.flatMap((tool) => tool.missing());
  if (missing.length === 0) return true;
  const packages = wanted.filter((tool) => tool.missing().length > 0).flatMap((t) => t.packages);
  const line = ["apt-get", "install", "-y", "--no-install-recommends", ...packages];
  say(`Missing: ${missing.join(", ")}.`);
  if (env["EXHIBIT_NO_INSTALL"] === "1") return refuse("EXHIBIT_NO_INSTALL is set. Run:", line);
  if (!isDebian()) return refuse("On Debian or Ubuntu this is:", line);
  const prefix = getuid?.() === 0 ? [] : ["sudo", "-n"];
  if (prefix.length > 0 && !runs([...prefix, "true"])) return refuse("Run as root:", line);
  say(`Running: ${[...prefix, ...line].join(" ")}`);
  if (!runs([...prefix, "apt-get", "update"]) || !runs([...prefix, ...line])) {
    return refuse("That failed. Run by hand, as root:", line);
  }
  const still = wanted.flatMap((tool) => tool.missing());
  return still.length === 0 || refuse(`Still missing: ${still.join(", ")}. Run by hand:`, line);
}

/**
 * Those of the named groups that are not there, or not all of them.
 *
 * @param {readonly string[]} names as for {@link installTools}
 * @returns {string[]}
 */
export function missingTools(names) {
  return names.filter((name) => toolCalled(name).missing().length > 0);
}

/** @param {string} name */
function toolCalled(name) {
  const tool = tools[name];
  if (tool === undefined) throw new RangeError(`No such group of tools: ${name}`);
  return tool;
}

/**
 * @param {string} why
 * @param {readonly string[]} line
 */
function refuse(why, line) {
  say(`${why}\n  ${line.join(" ")}`);
  return false;
}

/** @param {readonly string[]} command */
function runs([program = "", ...args]) {
  const output = spawnSync(program, args, {
    stdio: ["ignore", "ignore", "inherit"],
    env: { ...env, DEBIAN_FRONTEND: "noninteractive" },
  });
  return output.status === 0;
}

/**
 * Those that are not on the PATH.
 *
 * @param {...string} names
 */
function programs(...names) {
  const folders = (env["PATH"] ?? "").split(platform === "win32" ? ";" : ":");
  const suffix = platform === "win32" ? ".exe" : "";
  return names.filter(
    (name) => !folders.some((folder) => isExecutable(join(folder, name + suffix))),
  );
}

/**
 * Those that Debian's package would bring: others of the same name may come first on the PATH.
 *
 * @param {...string} names
 */
function debians(...names) {
  return names.filter((name) => !isExecutable(join("/usr/bin", name)));
}

/** @param {string} path */
function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function font() {
  if (platform !== "linux") return [];
  const folders = ["/usr/share/fonts/truetype/dejavu", "/usr/share/fonts/dejavu-sans-fonts"];
  const found = [...folders, "/usr/share/fonts/TTF", "/usr/share/fonts/dejavu"].some((folder) =>
    existsSync(join(folder, "DejaVuSans-Bold.ttf")),
  );
  return found ? [] : ["a DejaVu font"];
}

function libsecret() {
  if (platform !== "linux") return [];
  const folders = ["/usr/lib", "/usr/lib64", "/lib", ...multiarch()];
  const found = folders.some((folder) => existsSync(join(folder, "libsecret-1.so.0")));
  return found ? [] : ["libsecret-1.so.0"];
}

/**
 * Plug-ins that WebKit plays video with.
 *
 * @param {...string} names
 */
function gstreamer(...names) {
  return names
    .map((name) => `libgst${name}.so`)
    .filter(
      (file) => !multiarch().some((folder) => existsSync(join(folder, "gstreamer-1.0", file))),
    );
}

function multiarch() {
  return readdirSync("/usr/lib")
    .filter((name) => name.includes("-linux-"))
    .map((name) => join("/usr/lib", name));
}

function isDebian() {
  if (platform !== "linux" || programs("apt-get").length > 0) return false;
  return /^ID(_LIKE)?=.*(debian|ubuntu)/m.test(readFileSync("/etc/os-release", "utf8"));
}

/** @param {string} line */
function say(line) {
  stderr.write(`${line}\n`);
}

if (argv[1] === fileURLToPath(import.meta.url)) {
  process.exitCode = installTools(argv.slice(2)) ? 0 : 1;
}
