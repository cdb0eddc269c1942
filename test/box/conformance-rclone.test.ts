import { execFile } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { startBox, type Box } from "../support/box/box.ts";
import { connectProxy, type ConnectProxy } from "../support/box/connect-proxy.ts";

const MiB = 1024 * 1024;
const run = promisify(execFile);

let box: Box;

function sha1(bytes: Buffer): string {
  return createHash("sha1").update(bytes).digest("hex");
}

describe("rclone, through a proxy", () => {
  let proxy: ConnectProxy;
  let folder: string;

  beforeAll(async () => {
    // rclone builds the addresses of sessions itself, which Box allows.
    box = await startBox({
      tls: true,
      settings: { sessionsOnUploadHost: true, partBytes: 8 * MiB },
    });
    proxy = await connectProxy(box);
    folder = await mkdtemp(path.join(tmpdir(), "exhibit-rclone-"));
    await writeFile(path.join(folder, "ca.pem"), box.caPem ?? "");
    const token = box.developerToken(box.users.officer);
    await writeFile(path.join(folder, "c.conf"), `[b]\ntype = box\naccess_token = ${token}\n`);
  });
  afterAll(async () => {
    await proxy.close();
    await box.close();
    await rm(folder, { recursive: true });
  });

  async function rclone(...args: string[]): Promise<string> {
    const at = (name: string) => path.join(folder, name);
    const usual = ["--config", at("c.conf"), "--ca-cert", at("ca.pem"), "--retries", "1"];
    const env = { PATH: process.env["PATH"], HOME: folder, HTTPS_PROXY: proxy.url };
    const { stdout } = await run("rclone", [...usual, ...args], { env });
    return stdout;
  }

  test.each([
    [100_000, 0],
    [56 * MiB, 0],
    [48 * MiB + 1, 1],
  ])("uploads %i bytes, checks, downloads, shares and deletes them", async (size, notReady) => {
    const bytes = randomBytes(size);
    const file = path.join(folder, `${size}.bin`);
    await writeFile(file, bytes);
    box.settings.commitNotReady = notReady;
    await rclone("copyto", file, `b:in/${size}.bin`);
    expect(box.tree().get(`in/${size}.bin`)).toMatchObject({ size, sha1: sha1(bytes) });
    expect(await rclone("sha1sum", `b:in/${size}.bin`)).toContain(sha1(bytes));
    await rclone("copyto", `b:in/${size}.bin`, `${file}.back`);
    expect((await readFile(`${file}.back`)).equals(bytes)).toBe(true);
    const link = await rclone("link", `b:in/${size}.bin`);
    expect(link).toContain(`${box.authorizeUrl}/s/`);
    expect(await rclone("lsf", "b:in")).toBe(`${size}.bin\n`);
    await rclone("deletefile", `b:in/${size}.bin`);
    expect(box.tree().has(`in/${size}.bin`)).toBe(false);
    expect(new Set(proxy.asked)).toEqual(new Set(["api.box.com:443", "upload.box.com:443"]));
    expect(box.unsound).toEqual([]);
  });
});
