import { execFile, spawn, type ChildProcess } from "node:child_process";
import { createHash, randomInt } from "node:crypto";
import { once } from "node:events";
import { createReadStream } from "node:fs";
import { mkdir, mkdtemp, open, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { createInterface } from "node:readline";
import { promisify } from "node:util";
import { freePort } from "./free-port.ts";
import { startFaultProxy } from "./fault-proxy.ts";

const run = promisify(execFile);
export const program = path.resolve("bin/exhibit.js");

export interface KillPlan {
  readonly sizeBytes: number;
  readonly kills: number;
  readonly partBytes: number;
  readonly concurrency: number;
}

export interface KillOutcome {
  /** Where each kill fell, in bytes that had gone up by then. */
  readonly killedAt: readonly number[];
  /** Bytes up the wire in all runs together, beyond the file's own. */
  readonly extraBytes: number;
  /** What `extraBytes` may come to: the parts in flight at each kill, and the requests around them. */
  readonly allowedBytes: number;
  readonly sourceSha256: string;
  readonly storedSha256: string;
  readonly receiptSha256: string;
  /** Files with content in the store when all is done. */
  readonly contentFiles: readonly string[];
  /** What the last run said: bytes that it sent, and bytes that it found there. */
  readonly lastRun: { readonly bytesSent: number; readonly bytesSkipped: number };
}

/**
 * Uploads one file with the built program to a built server, kills the upload with SIGKILL at random moments, each
 * time further on, and runs the same command again; a proxy between the two counts every byte.
 */
export async function killAndResume(plan: KillPlan): Promise<KillOutcome> {
  const folder = await mkdtemp(path.join(tmpdir(), "exhibit-kill-"));
  const port = await freePort();
  const proxy = await startFaultProxy(port);
  const data = path.join(folder, "data");
  const invitation = path.join(folder, "invitation.txt");
  const server = spawn(
    process.execPath,
    [
      ...[program, "serve", "--json", "--data", data, "--port", String(port)],
      ...["--public-url", proxy.url, "--trust-proxy", "127.0.0.1", "--invitation-file", invitation],
    ],
    { stdio: ["ignore", "pipe", "ignore"] },
  );
  try {
    await listening(server);
    const env = await machine(folder);
    const source = path.join(folder, "night bus.bin");
    const sourceSha256 = await writeRandom(source, plan.sizeBytes);
    await login(env, proxy.url, await readFile(invitation, "utf8"));

    const command = [
      ...[program, "upload", source, "--case", "KILL/1", "--ref", "KIL/1", "--json"],
      ...["--part-size", String(plan.partBytes), "--concurrency", String(plan.concurrency)],
    ];
    const upBefore = proxy.bytesUp;
    const killedAt: number[] = [];
    for (const moment of moments(plan)) {
      const reached = proxy.whenUp(upBefore + moment);
      const child = spawn(process.execPath, command, { env, stdio: "ignore" });
      const closed = once(child, "close");
      await Promise.race([reached, closed]);
      child.kill("SIGKILL");
      await closed;
      if (child.signalCode !== "SIGKILL") throw new Error("An upload ended before it was killed.");
      killedAt.push(proxy.bytesUp - upBefore);
    }
    const { stdout } = await run(process.execPath, command, { env });
    const [exhibit] = (JSON.parse(stdout) as UploadDocument).exhibits;
    const file = exhibit?.receipt.files[0];
    if (exhibit === undefined || file === undefined)
      throw new Error("The last run uploaded nothing.");
    const content = path.join(data, "content");
    return {
      killedAt,
      extraBytes: proxy.bytesUp - upBefore - plan.sizeBytes,
      allowedBytes: allowed(plan),
      sourceSha256,
      storedSha256: await sha256OfFile(path.join(content, file.key)),
      receiptSha256: file.digest.sha256,
      contentFiles: (await readdir(content, { recursive: true })).filter((name) =>
        /-\d{4}\.bin$|content$/.test(name),
      ),
      lastRun: exhibit,
    };
  } finally {
    await stop(server);
    await proxy.close();
    await rm(folder, { recursive: true, force: true });
  }
}

interface UploadDocument {
  readonly exhibits: readonly {
    readonly bytesSent: number;
    readonly bytesSkipped: number;
    readonly receipt: {
      readonly files: readonly {
        readonly key: string;
        readonly digest: { readonly sha256: string };
      }[];
    };
  }[];
}

/** Random byte counts, each behind the one before, the last early enough that an upload is still running. */
function moments({ sizeBytes, kills }: KillPlan): number[] {
  const stride = Math.floor((sizeBytes * 0.9) / kills);
  let reached = 0;
  return Array.from({ length: kills }, () => {
    reached += randomInt(Math.floor(stride / 4), stride);
    return reached;
  });
}

function allowed({ sizeBytes, kills, partBytes, concurrency }: KillPlan): number {
  const headOfRequest = 2048;
  const requestsOfRun = 64 * 1024;
  const parts = Math.ceil(sizeBytes / partBytes) + kills * concurrency;
  return kills * concurrency * partBytes + parts * headOfRequest + (kills + 1) * requestsOfRun;
}

export async function machine(folder: string): Promise<NodeJS.ProcessEnv> {
  await mkdir(path.join(folder, "machine"));
  return {
    ...process.env,
    EXHIBIT_CONFIG_DIR: path.join(folder, "machine", "config"),
    EXHIBIT_STATE_DIR: path.join(folder, "machine", "state"),
    EXHIBIT_KEY_FILE: path.join(folder, "machine", "keys.json"),
  };
}

export async function login(env: NodeJS.ProcessEnv, url: string, code: string): Promise<void> {
  const child = spawn(process.execPath, [program, "login", url, "--invite-stdin"], {
    env,
    stdio: ["pipe", "ignore", "inherit"],
  });
  child.stdin.end(code);
  const [exitCode] = (await once(child, "close")) as [number];
  if (exitCode !== 0) throw new Error(`login ended with ${exitCode}`);
}

export async function listening(server: ChildProcess): Promise<void> {
  if (server.stdout === null) throw new Error("The server has no output.");
  for await (const line of createInterface({ input: server.stdout })) {
    if (line.includes('"listening"')) return;
  }
  throw new Error("The server did not start.");
}

export async function stop(server: ChildProcess): Promise<void> {
  if (server.exitCode !== null) return;
  const closed = once(server, "close");
  server.kill("SIGTERM");
  await closed;
}

export async function writeRandom(file: string, sizeBytes: number): Promise<string> {
  const { stdout } = await run("bash", [
    "-c",
    `openssl rand ${sizeBytes} | tee "$0" | openssl dgst -sha256 -r`,
    file,
  ]);
  const handle = await open(file);
  await handle.sync();
  await handle.close();
  return stdout.slice(0, 64);
}

export async function sha256OfFile(file: string): Promise<string> {
  const hash = createHash("sha256");
  for await (const bytes of createReadStream(file)) hash.update(bytes as Buffer);
  return hash.digest("hex");
}
