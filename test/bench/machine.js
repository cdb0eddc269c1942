// Where and with what the figures were made.
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { cpus, totalmem, version } from "node:os";

/**
 * @param {string} folder on the disk that is written to
 * @returns {Record<string, string>}
 */
export function machine(folder) {
  const [processor] = cpus();
  const of = (/** @type {string} */ name) => {
    const at = new URL(`../../node_modules/${name}/package.json`, import.meta.url);
    return `${name} ${JSON.parse(readFileSync(at, "utf8")).version}`;
  };
  return {
    date: new Date().toISOString().slice(0, 10),
    processor: `${cpus().length} x ${processor?.model ?? "unknown"}`,
    memory: `${Math.round(totalmem() / 2 ** 30)} GiB`,
    system: version(),
    disk: firstLine("df", ["--output=source,fstype", folder], 1),
    node: process.version,
    openssl: firstLine("openssl", ["version"]),
    tus: ["tus-js-client", "@tus/server", "@tus/file-store"].map(of).join(", "),
    rclone: firstLine("rclone", ["version"]),
    nginx: firstLine("sh", ["-c", "nginx -v 2>&1"]),
    awscli: firstLine("/usr/bin/aws", ["--version"]).split(" ")[0] ?? "",
    s3cmd: firstLine("s3cmd", ["--version"]),
    ceph: firstLine("radosgw", ["--version"]).split(" ").slice(0, 3).join(" "),
    curl: firstLine("curl", ["--version"]).split(" ").slice(0, 2).join(" "),
  };
}

/**
 * @param {string} program
 * @param {string[]} args
 * @param {number} [line]
 */
function firstLine(program, args, line = 0) {
  try {
    const said = execFileSync(program, args, {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
    });
    return said.split("\n")[line]?.trim().replaceAll(/\s+/g, " ") ?? "";
  } catch {
    return "not installed";
  }
}
