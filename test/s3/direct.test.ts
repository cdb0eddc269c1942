import { once } from "node:events";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it, jest } from "@jest/globals";
import { finish } from "../support/built-program.ts";
import { startBucketServer, type BucketServer } from "../support/bucket-server.ts";
import { bootCeph, type Ceph } from "../support/ceph.ts";
import { toAddress } from "../support/direct-rig.ts";
import { startFaultProxy, type FaultProxy } from "../support/fault-proxy.ts";
import { writeRandom } from "../support/kill-and-resume.ts";
import { asUser, makeBucket, type S3User } from "../support/s3-user.ts";
import { bootSwift } from "../support/swift.ts";
import { watchingProxy, type WatchingProxy } from "../support/watching-proxy.ts";

/** Real programs on a busy machine take their time. */
jest.setTimeout(180_000);

const mib = 1024 * 1024;
const partBytes = 5 * mib;
/** What a run of the client asks of its server, all requests together: far from what one part has. */
const askedBytes = mib / 2;

let ceph: Ceph;
let user: S3User;
let folder: string;
/** Sees what is asked of the gateway. */
let watching: WatchingProxy;
/** Before it, counts. */
let engine: FaultProxy;

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "exhibit-direct-"));
  ceph = await bootCeph();
  user = { ...(await ceph.addUser()), url: ceph.url };
  await makeBucket(user, "evidence");
  watching = await watchingProxy(ceph.url);
  engine = await startFaultProxy(Number(new URL(watching.url).port));
});
afterAll(async () => {
  await engine.close();
  await watching.close();
  await ceph.close();
  await rm(folder, { recursive: true, force: true });
});

function placeOn(name: string, endpoint: string, more: readonly string[] = []) {
  const home = path.join(folder, name);
  return startBucketServer(home, `s3://evidence/${name}?endpoint=${endpoint}`, asUser(user), more);
}

function uploading(source: string): string[] {
  const part = ["--part-size", "5M", "--concurrency", "2"];
  return ["upload", source, "--case", "DIR/1", "--ref", "DIR/1", ...part, "--json"];
}

interface UploadDocument {
  readonly exhibits: readonly {
    readonly bytesSkipped: number;
    readonly receipt: {
      readonly files: readonly { readonly proof: string; readonly digest: object }[];
    };
  }[];
}

/** A whole upload of this content, and nothing said that could alarm anybody. Gives what was skipped. */
function expectSent(run: Awaited<ReturnType<typeof finish>>, sha256: string): number {
  expect(run).toMatchObject({ code: 0, err: "" });
  const [exhibit] = (JSON.parse(run.out) as UploadDocument).exhibits;
  expect(exhibit?.receipt.files).toMatchObject([{ proof: "whole", digest: { sha256 } }]);
  return exhibit?.bytesSkipped ?? 0;
}

/** Requests to addresses that clients were given. */
function toAddresses(): number {
  return watching.seen.filter((line) => line.includes(toAddress)).length;
}

/** Everything that lies below a folder, as text. */
async function allIn(place: string): Promise<string> {
  const entries = await readdir(place, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());
  const texts = files.map(({ parentPath, name }) =>
    readFile(path.join(parentPath, name), "latin1"),
  );
  return (await Promise.all(texts)).join("\n");
}

describe("an upload to an exhibit server on Ceph", () => {
  it("sends its parts straight to the engine, and leaves no word of their addresses anywhere", async () => {
    const place = await placeOn("straight", engine.url);
    const source = path.join(folder, "straight.bin");
    const sha256 = await writeRandom(source, 21 * mib + 7);
    const [up, straight, asked] = [engine.bytesUp, toAddresses(), place.proxy.bytesUp];
    const run = await place.run(...uploading(source));
    expectSent(run, sha256);
    expect(toAddresses() - straight).toBe(5);
    expect(place.proxy.bytesUp - asked).toBeLessThan(askedBytes);
    expect(engine.bytesUp - up).toBeGreaterThan(21 * mib);
    const log = await place.close();
    expect(log).toContain("/v1/uploads/:id/part-addresses");
    const said = [log, run.out, await allIn(place.home)];
    expect(said.map((text) => /X-Amz-|uploadId=/i.exec(text))).toEqual([null, null, null]);
  });

  it.each([
    ["the client, whose computer lost its state", "client"],
    ["the server", "server"],
    ["the gateway", "gateway"],
  ] as const)("goes on where it was after SIGKILL of %s", async (_, killed) => {
    const place = await placeOn(`kill-${killed}`, engine.url);
    try {
      const source = path.join(folder, `${killed}.bin`);
      const sizeBytes = 64 * mib;
      const sha256 = await writeRandom(source, sizeBytes);
      const [up, asked] = [engine.bytesUp, place.proxy.bytesUp];
      const half = engine.whenUp(up + sizeBytes / 2);
      const child = place.startClient(...uploading(source));
      let done = child;
      await half;
      if (killed === "gateway") {
        await ceph.killGateway();
        await ceph.startGateway();
      } else if (killed === "server") await place.killServer();
      else {
        await killClient(child, place);
        done = place.startClient(...uploading(source));
      }
      const skipped = expectSent(await finish(done), sha256);
      if (killed === "client") expect(skipped).toBeGreaterThanOrEqual(4 * partBytes);
      // Two parts were in flight, and may have been tried once more before the gateway was back.
      expect(engine.bytesUp - up - sizeBytes).toBeLessThan(4 * partBytes + askedBytes);
      expect(place.proxy.bytesUp - asked).toBeLessThan(askedBytes);
      expect(await place.run("verify", "DIR/1:DIR/1")).toMatchObject({ code: 0 });
    } finally {
      await place.close();
    }
  });

  it.each([
    [
      "the server is told to have it so",
      () => placeOn("told", engine.url, ["--parts-through-server"]),
    ],
    ["the client does not trust the engine's certificate", distrusted],
  ])("goes through the server where %s", async (name, start) => {
    const place = await start();
    try {
      const source = path.join(folder, `${name}.bin`);
      const sha256 = await writeRandom(source, 11 * mib);
      const [straight, asked] = [toAddresses(), place.proxy.bytesUp];
      expectSent(await place.run(...uploading(source)), sha256);
      expect(toAddresses()).toBe(straight);
      expect(place.proxy.bytesUp - asked).toBeGreaterThan(11 * mib);
    } finally {
      await place.close();
    }
  });
});

it("an upload to an exhibit server on OpenStack Swift goes through the server, for it takes no such address", async () => {
  const swift = await bootSwift();
  try {
    await makeBucket(swift, "evidence", "versioned");
    const store = `s3://evidence/police?endpoint=${swift.url}`;
    const place = await startBucketServer(path.join(folder, "swift"), store, asUser(swift));
    try {
      const source = path.join(folder, "swift.bin");
      const sha256 = await writeRandom(source, 11 * mib);
      const asked = place.proxy.bytesUp;
      expectSent(await place.run(...uploading(source)), sha256);
      expect(place.proxy.bytesUp - asked).toBeGreaterThan(11 * mib);
      const checks = await readFile(path.join(place.home, "data", "store-checks.json"), "utf8");
      expect(checks).toMatch(/"presignedDigest": false/);
    } finally {
      await place.close();
    }
  } finally {
    await swift.close();
  }
});

/** The server has the file of the gateway's CA, and its clients have not. */
function distrusted(): Promise<BucketServer> {
  const env = { ...asUser(user), EXHIBIT_CA_FILE: ceph.tls.caFile };
  const store = `s3://evidence/distrusted?endpoint=${ceph.tls.url}`;
  return startBucketServer(path.join(folder, "distrusted"), store, env);
}

async function killClient(
  child: ReturnType<BucketServer["startClient"]>,
  { home }: BucketServer,
): Promise<void> {
  const closed = once(child, "close");
  child.kill("SIGKILL");
  await closed;
  const state = path.join(home, "client", "state");
  for (const name of await readdir(state)) await rm(path.join(state, name), { recursive: true });
}
