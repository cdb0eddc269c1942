import { execFile, spawn, type ChildProcess } from "node:child_process";
import { randomInt } from "node:crypto";
import { once } from "node:events";
import { mkdir, mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { startFaultProxy } from "./fault-proxy.ts";
import { freePort } from "./free-port.ts";
import {
  listening,
  login,
  machine,
  program,
  sha256OfFile,
  stop,
  writeRandom,
} from "./kill-and-resume.ts";

const run = promisify(execFile);

export interface ManyKills {
  /** Of the files of one folder. */
  readonly sizes: readonly number[];
  readonly kills: number;
  /** Each so many kills, the server is killed, too. */
  readonly serverEvery: number;
}

export interface ManyKillsOutcome {
  readonly kills: number;
  readonly serverKills: number;
  /** Bytes up the wire in all runs together, beyond the files' own. */
  readonly extraBytes: number;
  /** SHA-256 by path: of the sources, of what the store holds, and as the receipts say. */
  readonly sources: Readonly<Record<string, string>>;
  readonly stored: Readonly<Record<string, string>>;
  readonly receipts: Readonly<Record<string, string>>;
  /** In the store when all is done: content of exhibits, unfinished uploads, and what a killed server left half-made. */
  readonly contentFiles: number;
  readonly unfinished: number;
  readonly leftOvers: number;
}

/** Uploads a folder of files with the built program and kills it, and now and then the server, at random moments. */
export async function killMany(plan: ManyKills): Promise<ManyKillsOutcome> {
  const folder = await mkdtemp(path.join(tmpdir(), "exhibit-kills-"));
  const port = await freePort();
  const proxy = await startFaultProxy(port);
  const data = path.join(folder, "data");
  const invitation = path.join(folder, "invitation.txt");
  const serve = async (...more: string[]): Promise<ChildProcess> => {
    const started = spawn(
      process.execPath,
      [
        ...[program, "serve", "--json", "--data", data, "--port", String(port)],
        ...["--public-url", proxy.url, "--trust-proxy", "127.0.0.1", ...more],
      ],
      { stdio: ["ignore", "pipe", "ignore"] },
    );
    await listening(started);
    return started;
  };
  let server = await serve("--invitation-file", invitation);
  try {
    const env = await machine(folder);
    const bus = path.join(folder, "bus");
    await mkdir(bus);
    const sources: Record<string, string> = {};
    for (const [index, size] of plan.sizes.entries()) {
      const name = `${String(index).padStart(3, "0")}.bin`;
      sources[`bus/${name}`] = await writeRandom(path.join(bus, name), size);
    }
    await login(env, proxy.url, await readFile(invitation, "utf8"));
    const command = [program, "upload", bus, "--case", "KILL/2", "--json", "--part-size", "1M"];
    const total = plan.sizes.reduce((sum, size) => sum + size, 0);
    const upBefore = proxy.bytesUp;
    let serverKills = 0;
    let kills = 0;
    while (kills < plan.kills) {
      const reached = proxy.whenUp(proxy.bytesUp + randomInt(1, Math.floor(total / plan.kills)));
      const child = spawn(process.execPath, command, { env, stdio: "ignore" });
      const closed = once(child, "close");
      await Promise.race([reached, closed]);
      child.kill("SIGKILL");
      await closed;
      if (child.signalCode !== "SIGKILL") throw new Error(`Ended by itself at kill ${kills}.`);
      kills += 1;
      if (kills % plan.serverEvery === 0) {
        const gone = once(server, "close");
        server.kill("SIGKILL");
        await gone;
        server = await serve();
        serverKills += 1;
      }
    }
    const { stdout } = await run(process.execPath, command, { env, maxBuffer: 64 * 1024 * 1024 });
    const { exhibits } = JSON.parse(stdout) as UploadDocument;
    const content = path.join(data, "content");
    const stored: Record<string, string> = {};
    const receipts: Record<string, string> = {};
    for (const { contents, receipt } of exhibits) {
      const [file] = contents;
      const [received] = receipt.files;
      if (file === undefined || received === undefined) throw new Error("An exhibit has no file.");
      stored[file.path] = await sha256OfFile(path.join(content, file.key));
      receipts[file.path] = received.digest.sha256;
    }
    const held = await readdir(content, { recursive: true });
    const count = (names: RegExp): number => held.filter((name) => names.test(name)).length;
    return {
      kills,
      serverKills,
      extraBytes: proxy.bytesUp - upBefore - total,
      sources,
      stored,
      receipts,
      contentFiles: count(/^[^.].*-\d{4}\.bin$/),
      unfinished: count(/^\.uploads\/[0-9a-f]{32}-\d+$/),
      leftOvers: count(/^\.uploads\/\.[^/]+$/),
    };
  } finally {
    await stop(server);
    await proxy.close();
    await rm(folder, { recursive: true, force: true });
  }
}

interface UploadDocument {
  readonly exhibits: readonly {
    readonly contents: readonly { readonly path: string; readonly key: string }[];
    readonly receipt: {
      readonly files: readonly { readonly digest: { readonly sha256: string } }[];
    };
  }[];
}
