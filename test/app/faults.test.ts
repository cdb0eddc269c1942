import {
  afterAll,
  afterEach,
  beforeAll,
  beforeEach,
  describe,
  expect,
  it,
  jest,
} from "@jest/globals";
import { randomBytes } from "node:crypto";
import { appendFile, chmod, mkdir, readFile, readdir, rm, stat, writeFile } from "node:fs/promises";
import path from "node:path";
import { download } from "../../src/app/download.ts";
import { verify } from "../../src/app/verify.ts";
import { verifyReceipt } from "../../src/app/verify-receipt.ts";
import { makeClient, upload, uploadOf, type TestClient } from "../support/client.ts";
import { startFaultProxy, type FaultProxy, type Faults } from "../support/fault-proxy.ts";
import { enrol, soon, startServer, type TestServer } from "../support/server.ts";

jest.setTimeout(30_000);
const partBytes = 64 * 1024;
const size = 8 * partBytes;

describe("a line that breaks on the way to an exhibit server", () => {
  let proxy: FaultProxy;
  let server: TestServer;
  let client: TestClient;
  let ordinal = 0;
  beforeAll(async () => {
    proxy = await startFaultProxy();
    server = await startServer({ settings: { publicUrl: proxy.url } });
    proxy.upstreamPort = Number(new URL(server.url).port);
  });
  afterAll(async () => {
    await server.stop();
    await proxy.close();
  });
  beforeEach(async () => {
    const person = await enrol(proxy.url, await server.invite("partner"));
    client = await makeClient(proxy.url, person.machine);
    ordinal += 1;
  });
  afterEach(async () => {
    proxy.set({});
    await client.close();
  });
  const ask = (paths: string[]): Parameters<typeof upload>[1] =>
    uploadOf(paths, { case: `N${ordinal}/26` });

  it.each<[string, Faults]>([
    ["is reset in a part", { resetAfter: 3.5 * partBytes }],
    ["is reset early", { resetAfter: partBytes }],
    ["flips a bit in a part", { flipAt: 4.5 * partBytes }],
    ["loses the answer to a part", { dropReplyTo: /^PUT [^ ]*\/parts\//m }],
    ["loses the answer to the completion", { dropReplyTo: /^POST [^ ]*\/complete/m }],
    ["loses the answer to the record", { dropReplyTo: /^PUT [^ ]*\/record/m }],
    ["loses the answer to the reservation", { dropReplyTo: /^POST \/v1\/exhibits /m }],
  ])("does no harm when it %s", async (_, faults) => {
    const file = await client.write("a.mp4", randomBytes(size));
    client.onConnect = () => {
      proxy.set(faults);
    };
    const up = proxy.bytesUp;
    const before = proxy.happened.length;
    let done = await upload(client.deps, ask([file]), soon()).catch(() => undefined);
    client.onConnect = undefined;
    expect([...new Set(proxy.happened.slice(before))]).toEqual(Object.keys(faults));
    // A flipped bit is refused by the part's digest; the next run goes on.
    if (done === undefined || done.failed.length > 0) {
      done = await upload(client.deps, ask([file]), soon());
    }
    expect(done.failed).toEqual([]);
    expect(proxy.bytesUp - up).toBeLessThan(size + 3 * partBytes);
    const [exhibit] = done.exhibits;
    expect(exhibit?.receipt.files[0]?.proof).toBe("whole");
    const checked = await verify(client.deps, { exhibit: exhibit?.id ?? "" }, soon());
    expect(checked.failed).toEqual([]);
  });

  it("is waited for when it refuses for a while", async () => {
    const file = await client.write("a.mp4", randomBytes(size));
    let isBroken = false;
    client.onConnect = ({ store }) => {
      store.beforePart = ({ offset }) => {
        if (offset !== 4 * partBytes || isBroken) return;
        isBroken = true;
        proxy.set({ resetAfter: 0 });
        void proxy.nextFault().then(async () => {
          proxy.set({ refuse: true });
          await proxy.nextFault();
          proxy.set({});
        });
      };
    };
    const patience = { tries: 99, giveUpAfterMs: 20_000, baseMs: 20, capMs: 200 };
    const patient = { ...client.deps, patience };
    const { exhibits, failed } = await upload(patient, ask([file]), soon());
    expect(failed).toEqual([]);
    expect(exhibits).toMatchObject([{ bytesSent: size }]);
    expect(client.events.some(({ type }) => type === "waiting")).toBe(true);
  });

  it("that stalls is left at once when interrupted, and the rest goes later", async () => {
    const file = await client.write("a.mp4", randomBytes(size));
    const stop = new AbortController();
    client.onConnect = () => {
      proxy.set({ stallAfter: 3.5 * partBytes });
      void proxy.nextFault().then(() => {
        stop.abort(new Error("stopped by the test"));
      });
    };
    await expect(upload(client.deps, ask([file]), stop.signal)).rejects.toThrow(
      "stopped by the test",
    );
    client.onConnect = undefined;
    const { exhibits } = await upload(client.deps, ask([file]), soon());
    expect(exhibits[0]?.bytesSkipped).toBeGreaterThanOrEqual(partBytes);
  });

  it("does not spoil a download: it goes on where it broke, and so does the next run", async () => {
    const file = await client.write("a.mp4", randomBytes(size));
    const { exhibits } = await upload(client.deps, ask([file]), soon());
    const exhibit = exhibits[0]?.id ?? "";
    const to = path.join(client.folder, "back");
    const stop = new AbortController();
    const { deps } = client;
    const stopping = {
      ...deps,
      onEvent: (event: Parameters<typeof deps.onEvent>[0]) => {
        if (event.type === "part-done") stop.abort(new Error("stopped by the test"));
      },
    };
    await expect(download(stopping, { exhibit, to }, stop.signal)).rejects.toThrow("stopped");
    const [partial] = await readdir(to);
    const kept = (await stat(path.join(to, partial ?? ""))).size;
    expect(kept).toBeGreaterThan(0);
    const down = proxy.bytesDown;
    const back = await download(deps, { exhibit, to }, soon());
    expect(back.failed).toEqual([]);
    expect(proxy.bytesDown - down).toBeLessThan(size - kept + 40_000);
    expect((await readFile(path.join(to, "a.mp4"))).equals(await readFile(file))).toBe(true);
  });
});

describe("content that is not what the record says", () => {
  let client: TestClient;
  let file: string;
  let exhibit: string;
  let receiptPath: string;
  let stored: string;
  beforeEach(async () => {
    client = await makeClient();
    file = await client.write("a.mp4", randomBytes(size));
    const { exhibits } = await upload(client.deps, uploadOf([file]), soon());
    exhibit = exhibits[0]?.id ?? "";
    receiptPath = exhibits[0]?.receiptPath ?? "";
    stored = path.join(client.folder, "store", exhibits[0]?.contents[0]?.key ?? "");
  });
  afterEach(async () => {
    await client.close();
  });

  async function spoil(at: string): Promise<void> {
    await chmod(at, 0o600);
    const bytes = await readFile(at);
    bytes[1234] = (bytes[1234] ?? 0) ^ 1;
    await writeFile(at, bytes);
  }

  it.each([
    ["changed", spoil, "differs", "integrity.mismatch"],
    [
      "longer",
      (at: string) => chmod(at, 0o600).then(() => appendFile(at, "x")),
      "differs",
      "integrity.mismatch",
    ],
    ["gone", (at: string) => rm(at), "missing", "not-found.content"],
  ])("is found by verify when it is %s, and never brought back", async (_, harm, outcome, code) => {
    await harm(stored);
    const checked = await verify(client.deps, { exhibit }, soon());
    expect(checked.files).toMatchObject([{ outcome, checkedBy: "re-read" }]);
    expect(checked.failed).toMatchObject([{ path: "a.mp4", code }]);
    const to = path.join(client.folder, "back");
    const back = await download(client.deps, { exhibit, to }, soon());
    expect(back.failed).toMatchObject([{ path: "a.mp4", code }]);
    expect(await readdir(to)).not.toContain("a.mp4");
  });

  it.each([
    [
      "in a line that the receipt vouches for",
      (log: string) => log.replace("collected", "consulted"),
    ],
    ["behind them", (log: string) => `${log}{"verb":"erased"}\n`],
  ])("is found in the custody log, too, %s", async (_, alter) => {
    const log = path.join(path.dirname(stored), "custody.jsonl");
    await chmod(log, 0o600);
    await writeFile(log, alter(await readFile(log, "utf8")));
    const checked = await verify(client.deps, { exhibit }, soon());
    expect(checked.failed).toMatchObject([{ path: "custody log", code: "integrity.chain" }]);
  });

  it("never takes the place of a file that is there, and a spoilt partial file is fetched anew", async () => {
    const to = path.join(client.folder, "back");
    await mkdir(to);
    await writeFile(path.join(to, "a.mp4"), "mine");
    const first = await download(client.deps, { exhibit, to }, soon());
    expect(first.failed).toMatchObject([{ code: "conflict.exists" }]);
    expect(await readFile(path.join(to, "a.mp4"), "utf8")).toBe("mine");
    await rm(path.join(to, "a.mp4"));
    const place = client.deps.destination.place(to, { path: "a.mp4", pathBytes: undefined });
    const writer = await place.write(0);
    await writer.append(randomBytes(1000));
    await writer.close();
    const second = await download(client.deps, { exhibit, to }, soon());
    expect(second.files).toMatchObject([{ outcome: "downloaded" }]);
    expect((await readFile(path.join(to, "a.mp4"))).equals(await readFile(file))).toBe(true);
  });

  it("is not fetched into a folder that another download writes to, and harms nothing there", async () => {
    const to = path.join(client.folder, "back");
    const place = client.deps.destination.place(to, { path: "a.mp4", pathBytes: undefined });
    const other = await place.write(0);
    await other.append(await readFile(file));
    await expect(download(client.deps, { exhibit, to }, soon())).rejects.toMatchObject({
      code: "conflict.locked",
    });
    await other.finish(new Date());
    await other.close();
    const { files } = await download(client.deps, { exhibit, to }, soon());
    expect(files).toMatchObject([{ outcome: "present" }]);
  });

  it("is noticed in a partial file, although it came there after the last look", async () => {
    const to = path.join(client.folder, "back");
    const { destination } = client.deps;
    const placed = destination.place(to, { path: "a.mp4", pathBytes: undefined });
    const before = await placed.write(0);
    await before.append((await readFile(file)).subarray(0, 3 * partBytes));
    await before.close();
    const [partial = ""] = (await readdir(to)).filter((name) => name.endsWith(".part"));
    const meddled = {
      place: (...given: Parameters<typeof destination.place>) => {
        const place = destination.place(...given);
        return {
          ...place,
          write: async (keepBytes: number) => {
            if (keepBytes > 0) await writeFile(path.join(to, partial), Buffer.alloc(keepBytes));
            return place.write(keepBytes);
          },
        };
      },
    };
    const deps = { ...client.deps, destination: meddled };
    const { files } = await download(deps, { exhibit, to }, soon());
    expect(files).toMatchObject([{ outcome: "downloaded" }]);
    expect((await readFile(path.join(to, "a.mp4"))).equals(await readFile(file))).toBe(true);
  });

  it("is told apart by its receipt, offline", async () => {
    const { deps } = client;
    const offline = { source: deps.source, pins: () => deps.pins(), onEvent: deps.onEvent };
    const ask = (files: string[], key?: string): ReturnType<typeof verifyReceipt> =>
      verifyReceipt(
        offline,
        { receipt: receiptPath, files, ...(key === undefined ? {} : { key }) },
        soon(),
      );
    const good = await ask([file]);
    expect(good).toMatchObject({ signedBy: "the store test", failed: [], notChecked: [] });
    expect(good.files).toMatchObject([{ path: "a.mp4", proof: "read-back" }]);
    const { thumbprint } = good.receipt.issuer;
    expect((await ask([file], thumbprint)).signedBy).toBe("the key you named");
    await expect(ask([file], "another")).rejects.toMatchObject({ code: "integrity.signature" });
    await spoil(file);
    expect(await ask([file])).toMatchObject({
      failed: [{ path: "a.mp4", code: "integrity.mismatch" }],
      notChecked: [expect.stringContaining("ABC_1-0001")],
    });
    const sealed = JSON.parse(await readFile(receiptPath, "utf8")) as { payload: string };
    const payload = Buffer.from(sealed.payload, "base64url").toString("utf8");
    const forged = payload.replace(good.files[0]?.sha256 ?? "?", "0".repeat(64));
    const text = JSON.stringify({
      ...sealed,
      payload: Buffer.from(forged).toString("base64url"),
    });
    await writeFile(receiptPath, text);
    await expect(ask([file])).rejects.toMatchObject({ code: "integrity.signature" });
    await writeFile(receiptPath, "a letter");
    await expect(ask([file])).rejects.toMatchObject({ code: "usage.invalid" });
  });

  it("is not looked for under a bare reference that is in several cases", async () => {
    await upload(client.deps, uploadOf([file], { case: "02CD/26", reference: "ABC/1" }), soon());
    await expect(verify(client.deps, { exhibit: "ABC/1" }, soon())).rejects.toMatchObject({
      code: "usage.ambiguous",
      hint: expect.stringMatching(/01AB1234526:ABC\/1, 02CD\/26:ABC\/1/),
    });
    await expect(verify(client.deps, { exhibit: "ABC/2" }, soon())).rejects.toMatchObject({
      code: "not-found.exhibit",
    });
  });
});
