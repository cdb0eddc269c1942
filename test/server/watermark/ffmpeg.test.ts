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

  async function get(url: string, range?: string): Promise<{ status: number; body: string }> {
    const asked = request(url, { headers: range === undefined ? {} : { range }, agent: false });
    asked.end();
    const [answer] = (await once(asked, "response")) as [IncomingMessage];
    let body = "";
    for await (const chunk of answer.setEncoding("utf8") as AsyncIterable<string>) body += chunk;
    return { status: answer.statusCode ?? 0, body };
  }

  it("is served whole and in ranges, on an address nobody can guess, until it is closed", async () => {
    const taps = createTaps(rig.store);
    const master = await rig.add(Buffer.from("0123456789"));
    const tap = await taps.open(master.key, master.sizeBytes);
    expect(tap.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/[\w-]{32}$/);
    expect(await get(tap.url)).toEqual({ status: 200, body: "0123456789" });
    expect(await get(tap.url, "bytes=3-")).toEqual({ status: 206, body: "3456789" });
    expect(await get(tap.url, "bytes=3-4")).toEqual({ status: 206, body: "34" });
    expect((await get(tap.url, "bytes=10-")).status).toBe(416);
    expect((await get(`${tap.url}x`)).status).toBe(404);
    tap.close();
    expect((await get(tap.url)).status).toBe(404);
    await taps.close();
  });

  it("tells the store's failure where ffmpeg only sees a broken connection", async () => {
    const gone = { key: "A/ABC_1/ABC_1-9999.mp4", mediaType: "video/mp4", sizeBytes: 5000 };
    await expect(rig.renditions.canMark(gone, never)).rejects.toMatchObject({
      code: "not-found.content",
    });
  });
});
