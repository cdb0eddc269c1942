import { once } from "node:events";
import { request, type IncomingMessage } from "node:http";
import { tmpdir } from "node:os";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { createFfmpeg, type Run } from "../../../src/server/watermark/ffmpeg.ts";
import { createTaps } from "../../../src/server/watermark/master-tap.ts";
import { createTurns } from "../../../src/server/watermark/turns.ts";
import { markingRig, never, type MarkingRig } from "./rig.ts";

const endless = ["-loglevel", "error", "-f", "lavfi", "-i", "testsrc=size=320x240:rate=25"];
const nowhere = [...endless, "-f", "null", "-"];
const run: Run = {
  party: "SAAAAAAAAA",
  folder: tmpdir(),
  timeoutMs: 60_000,
  maxOutputBytes: 100_000,
  signal: never,
};

describe("a run of ffmpeg", () => {
  it("says what to install where there is none", async () => {
    await expect(
      createFfmpeg(createTurns(1), []).run("ffmpeg", nowhere, run),
    ).rejects.toMatchObject({
      code: "unavailable.program",
      hint: "Run: apt-get install -y --no-install-recommends ffmpeg",
    });
  });

  it("is killed when it takes too long", async () => {
    const late = createFfmpeg(createTurns(2)).run("ffmpeg", nowhere, { ...run, timeoutMs: 300 });
    await expect(late).rejects.toMatchObject({ code: "unavailable.busy" });
  });

  it("is killed when it writes too much", async () => {
    const much = createFfmpeg(createTurns(2)).run(
      "ffmpeg",
      [...endless, "-f", "rawvideo", "pipe:1"],
      run,
    );
    await expect(much).rejects.toMatchObject({ code: "policy.too-large" });
  });

  it("is killed when its signal is aborted, and one that waits its turn never starts", async () => {
    const turns = createTurns(2);
    const ffmpeg = createFfmpeg(turns);
    const stop = new AbortController();
    const runs = Array.from({ length: 64 }, () =>
      ffmpeg.run("ffmpeg", nowhere, { ...run, signal: stop.signal }),
    );
    const ended = Promise.allSettled(runs);
    stop.abort(new Error("share revoked"));
    for (const result of await ended) {
      expect(result).toMatchObject({ status: "rejected", reason: { message: "share revoked" } });
    }
    expect(turns.free(run.party)).toBe(true);
  });
});

describe("a tapped master", () => {
  let rig: MarkingRig;
  beforeAll(async () => {
    rig = await markingRig();
  });
  afterAll(() => rig.close());

  async function get(proxy: string, range?: string): Promise<{ status: number; body: string }> {
    const { hostname, port, username, password } = new URL(proxy);
    const login = Buffer.from(`${username}:${password}`).toString("base64");
    const headers = { "proxy-authorization": `Basic ${login}`, ...(range && { range }) };
    const asked = request({ hostname, port, path: "http://master/", headers, agent: false });
    asked.end();
    const [answer] = (await once(asked, "response")) as [IncomingMessage];
    let body = "";
    for await (const chunk of answer.setEncoding("utf8") as AsyncIterable<string>) body += chunk;
    return { status: answer.statusCode ?? 0, body };
  }

  it("is served whole and in ranges to whom its secret was given, apart from the arguments, until it is closed", async () => {
    const taps = createTaps(rig.store);
    const master = await rig.add(Buffer.from("0123456789"));
    const tap = await taps.open(master.key, master.sizeBytes);
    const { http_proxy: proxy = "" } = tap.environment;
    expect(tap.url).toBe("http://master/");
    expect(proxy).toMatch(/^http:\/\/tap:[\w-]{32}@127\.0\.0\.1:\d+$/);
    expect(await get(proxy)).toEqual({ status: 200, body: "0123456789" });
    expect(await get(proxy, "bytes=3-")).toEqual({ status: 206, body: "3456789" });
    expect(await get(proxy, "bytes=3-4")).toEqual({ status: 206, body: "34" });
    expect((await get(proxy, "bytes=10-")).status).toBe(416);
    expect((await get(proxy.replace("@", "x@"))).status).toBe(407);
    tap.close();
    expect((await get(proxy)).status).toBe(407);
    await taps.close();
  });

  it("tells the store's failure where ffmpeg only sees a broken connection", async () => {
    const gone = { key: "A/ABC_1/ABC_1-9999.mp4", mediaType: "video/mp4", sizeBytes: 5000 };
    await expect(rig.renditions.canMark(gone, never)).rejects.toMatchObject({
      code: "not-found.content",
    });
  });
});
