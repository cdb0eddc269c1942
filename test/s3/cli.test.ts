import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { sha256Of } from "../../src/evidence/digest.ts";
import { finish, start } from "../support/built-program.ts";
import { bootCeph, type Ceph } from "../support/ceph.ts";
import { startFaultProxy } from "../support/fault-proxy.ts";
import { sha256OfFile, writeRandom } from "../support/kill-and-resume.ts";
import { ask, asUser, makeBucket, type S3User } from "../support/s3-user.ts";

const run = promisify(execFile);
const mib = 1024 * 1024;

interface UploadDocument {
  readonly exhibits: readonly {
    readonly bytesSent: number;
    readonly bytesSkipped: number;
    readonly receipt: {
      readonly files: readonly {
        readonly proof: string;
        readonly digest: { readonly sha256: string };
      }[];
    };
  }[];
}

let ceph: Ceph;
let user: S3User;
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "exhibit-s3-"));
  ceph = await bootCeph();
  user = { ...(await ceph.addUser()), url: ceph.url };
});
afterAll(async () => {
  await ceph.close();
  await rm(folder, { recursive: true, force: true });
});

async function exhibit(
  ...argv: string[]
): Promise<{ code: number | null; out: string; err: string }> {
  return finish(start(folder, argv, asUser(user)));
}

it("a bucket takes an exhibit, verifies it and gives it back, through the program", async () => {
  await makeBucket(user, "whole");
  const files = path.join(folder, "in");
  await mkdir(files);
  const small = randomBytes(70_000);
  await writeFile(path.join(files, "call.wav"), small);
  const large = await writeRandom(path.join(files, "bus 42.mp4"), 21 * mib + 7);
  const store = `s3://whole/police/evidence?endpoint=${encodeURIComponent(user.url)}`;
  expect(await exhibit("store", "add", "bucket", store)).toMatchObject({ code: 0 });
  expect(await exhibit("store", "check", "bucket")).toMatchObject({ code: 0 });
  const uploaded = await exhibit(
    "upload",
    files,
    "--one-exhibit",
    "--case",
    "01AB1234526",
    "--ref",
    "ABC/1",
    "--part-size",
    "5M",
    "--json",
  );
  expect(uploaded).toMatchObject({ code: 0 });
  const [sent] = (JSON.parse(uploaded.out) as UploadDocument).exhibits;
  expect(sent?.receipt.files.map(({ proof }) => proof)).toEqual(["parts", "parts"]);
  const digests = sent?.receipt.files.map(({ digest }) => digest.sha256).sort();
  expect(digests).toEqual([sha256Of(small), large].sort());
  expect(await exhibit("verify", "ABC/1")).toMatchObject({ code: 0 });
  const back = path.join(folder, "back");
  expect(await exhibit("download", "ABC/1", "--to", back)).toMatchObject({ code: 0 });
  const { stdout } = await run("find", [back, "-name", "bus 42.mp4"]);
  expect(await sha256OfFile(stdout.trim())).toBe(large);
  // Nothing unfinished is left, and the same again sends nothing.
  const left = await ask(user, "GET", "/whole", { query: "uploads=" });
  expect(left.text).not.toMatch(/<Upload>/);
  const listed = await ask(user, "GET", "/whole", {
    query: "list-type=2&prefix=police%2Fevidence%2F.uploads",
  });
  expect(listed.text).toMatch(/<KeyCount>0</);
  const again = await exhibit(
    "upload",
    files,
    "--one-exhibit",
    "--case",
    "01AB1234526",
    "--ref",
    "ABC/1",
    "--part-size",
    "5M",
    "--json",
  );
  expect(again.code).toBe(0);
  expect((JSON.parse(again.out) as UploadDocument).exhibits[0]?.bytesSent).toBe(0);
});

describe("an upload that is broken off", () => {
  it.each([
    ["the client", false, false],
    ["the client, whose computer lost its state", false, true],
    ["the gateway", true, false],
  ] as const)(
    "goes on where it was after SIGKILL of %s",
    async (what, killsGateway, losesState) => {
      const bucket = `kill-${what.replaceAll(/[ ,]+/g, "-")}`.slice(0, 60);
      await makeBucket(user, bucket);
      const proxy = await startFaultProxy(Number(new URL(ceph.url).port));
      try {
        const source = path.join(folder, `${bucket}.bin`);
        const sizeBytes = 64 * mib;
        const sha256 = await writeRandom(source, sizeBytes);
        const store = `s3://${bucket}/e?endpoint=${encodeURIComponent(proxy.url)}`;
        expect(await exhibit("store", "check", store)).toMatchObject({ code: 0 });
        const argv = [
          "upload",
          source,
          "--store",
          store,
          "--case",
          "KILL/1",
          "--ref",
          "KIL/1",
          "--json",
          "--part-size",
          "5M",
          "--concurrency",
          "2",
        ];
        const before = proxy.bytesUp;
        const half = proxy.whenUp(before + sizeBytes / 2);
        const child = start(folder, argv, asUser(user));
        await half;
        let done = child;
        if (killsGateway) {
          await ceph.killGateway();
          await ceph.startGateway();
        } else {
          const closed = once(child, "close");
          child.kill("SIGKILL");
          await closed;
          if (losesState) await rm(path.join(folder, "state"), { recursive: true });
          done = start(folder, argv, asUser(user));
        }
        const { code, out, err } = await finish(done);
        expect([code, err]).toEqual([0, expect.any(String)]);
        const [sent] = (JSON.parse(out) as UploadDocument).exhibits;
        expect(sent?.receipt.files[0]?.digest.sha256).toBe(sha256);
        // Two parts were in flight, and requests around them.
        const extra = proxy.bytesUp - before - sizeBytes;
        expect(extra).toBeLessThan(2 * 5 * mib + 512 * 1024);
        if (!killsGateway) expect(sent?.bytesSkipped).toBeGreaterThanOrEqual(15 * mib);
        expect(await exhibit("verify", "KILL/1:KIL/1", "--store", store)).toMatchObject({
          code: 0,
        });
      } finally {
        await proxy.close();
      }
    },
    120_000,
  );
});
