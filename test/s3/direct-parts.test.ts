import { setTimeout } from "node:timers/promises";
import { inspect } from "node:util";
import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from "@jest/globals";
import type { DirectParts } from "../../src/evidence/ports/direct-parts.ts";
import { takesDirectParts } from "../../src/stores/s3/direct-parts.ts";
import { ToEngine } from "../../src/stores/server/to-engine.ts";
import { code } from "../contracts/store-under-test.ts";
import type { Rule } from "../support/answering-proxy.ts";
import {
  content,
  directRig,
  enforced,
  expectWhole,
  parts,
  toAddress,
  type DirectRig,
} from "../support/direct-rig.ts";
import { freePort } from "../support/free-port.ts";
import { soon } from "../support/server.ts";

jest.setTimeout(60_000);

const mib = 1024 * 1024;
const [first, second] = parts;
const straight = new RegExp(toAddress);

let rig: DirectRig;

beforeAll(async () => {
  rig = await directRig();
});
afterEach(() => rig.reset());
afterAll(() => rig.close());

describe("the address of a part", () => {
  it("is good for its bytes alone, and until the upload is complete", async () => {
    const found = await rig.begin();
    const { direct, inside, bucket, store, upload } = found;
    const signal = soon();
    const address = await direct.addressOf(inside, first, signal);
    if (address === undefined) throw new Error("There is no address.");
    expect(Date.parse(address.expiresAt) - Date.now()).toBeLessThanOrEqual(15 * 60_000);
    const put = async (bytes: Uint8Array, headers: object = {}, url = address.url) => {
      const answer = await bucket.putTo(
        { url, headers: { ...address.headers, ...headers } },
        bytes,
        signal,
      );
      return [answer.status, /<Code>(.*?)</.exec(answer.body.toString())?.[1]];
    };
    const refused = [403, "SignatureDoesNotMatch"];
    expect(await put(second.bytes)).toEqual([400, "XAmzContentSHA256Mismatch"]);
    expect(await put(content.subarray(1), { "content-length": content.length - 1 })).toEqual(
      refused,
    );
    expect(await put(second.bytes, { "x-amz-content-sha256": second.sha256 })).toEqual(refused);
    const unsigned = { "x-amz-content-sha256": "UNSIGNED-PAYLOAD" };
    expect(await put(second.bytes, unsigned)).toEqual(refused);
    const elsewhere = address.url.replace("partNumber=1", "partNumber=2");
    expect(await put(first.bytes, {}, elsewhere)).toEqual(refused);
    expect(await store.listParts(upload, signal)).toEqual([]);
    expect(await put(first.bytes)).toEqual([200, undefined]);
    for (const part of parts) await store.putPart(upload, part, signal);
    await expectWhole(found);
    expect(await put(first.bytes)).toEqual([404, "NoSuchUpload"]);
  });

  it.each([
    ["the engine's ETags tell what it holds", ""],
    ["they do not", "kms"],
  ])("is remembered with its digest beyond the server's process, where %s", async (_, sse) => {
    const more = sse === "" ? "" : `&sse=kms&kms-key=${rig.ceph.kmsKeyId}`;
    const found = await rig.begin({ more });
    const { direct, inside, store, upload } = found;
    const address = await direct.addressOf(inside, first, soon());
    await found.server.restart();
    // It arrives before the new process has looked at the upload.
    const { url, headers } = address ?? { url: "", headers: {} };
    await found.bucket.putTo({ url, headers }, first.bytes, soon());
    expect((await store.listParts(upload, soon())).map(({ digest }) => digest)).toEqual([
      { algorithm: "sha256", hex: first.sha256 },
    ]);
    for (const part of parts.slice(1)) await store.putPart(upload, part, soon());
    expect(found.counts()).toEqual({ straight: 3, through: 0 });
    await expectWhole(found);
  });

  it("is given for other bytes only while the engine has none", async () => {
    const { direct, inside, store, upload, bucket } = await rig.begin();
    const other = { ...first, sha256: second.sha256, bytes: second.bytes };
    expect(await direct.addressOf(inside, other, soon())).toBeDefined();
    const address = await direct.addressOf(inside, first, soon());
    if (address === undefined) throw new Error("There is no address.");
    await bucket.putTo(address, first.bytes, soon());
    await expect(direct.addressOf(inside, other, soon())).rejects.toEqual(
      code("conflict.part-differs"),
    );
    await expect(store.putPart(upload, other, soon())).rejects.toEqual(
      code("conflict.part-differs"),
    );
    expect(await direct.addressOf(inside, first, soon())).toBeDefined();
  });

  it.each([
    ["that was not seen to keep to it", { presignedDigest: false }, undefined, false],
    ["that compares no digests", { payloadHash: false }, undefined, false],
    ["that needs a key of ours", {}, Buffer.alloc(32), false],
    ["that was seen to keep to it", {}, undefined, true],
  ])("is given for an engine %s: %#", (_, more, customerKey, given) => {
    expect(takesDirectParts({ customerKey }, { ...enforced, ...more })).toBe(given);
  });
});

/** Addresses that lead to another place than the engine. */
function leadingTo(origin: () => string): (direct: DirectParts) => DirectParts {
  return (direct) => ({
    async addressOf(...given) {
      const address = await direct.addressOf(...given);
      return address && { ...address, url: address.url.replace(rig.proxy.url, origin()) };
    },
  });
}

describe("a part on its way straight to the engine", () => {
  const xml = (name: string): string => `<?xml version="1.0"?><Error><Code>${name}</Code></Error>`;
  const refusing = (answer: number, body: string, times?: number): Rule => ({
    on: straight,
    deed: { answer, body, headers: { location: "http://127.0.0.1:1/", "retry-after": "7" } },
    ...(times === undefined ? {} : { times }),
  });

  const breaking: Rule = { on: straight, deed: { loseReply: true } };

  it("goes with what belongs to it, and with no token", async () => {
    const found = await rig.begin();
    const from = rig.proxy.requests.length;
    for (const part of parts) await found.store.putPart(found.upload, part, soon());
    expect(found.counts()).toEqual({ straight: 3, through: 0 });
    const headers = rig.proxy.requests.slice(from).filter(({ line }) => line.includes(toAddress));
    for (const [index, one] of headers.entries()) {
      expect(one.headers).toMatchObject({ "x-amz-content-sha256": parts[index]?.sha256 });
      expect(one.headers).not.toHaveProperty("authorization");
    }
    await expectWhole(found);
  });

  it("that is changed is refused, and can be sent again", async () => {
    const found = await rig.begin();
    rig.proxy.rules = [{ on: straight, deed: { flipUp: 1000 }, times: 1 }];
    const sent = found.store.putPart(found.upload, first, soon());
    await expect(sent).rejects.toEqual(code("integrity.mismatch"));
    for (const part of parts) await found.store.putPart(found.upload, part, soon());
    expect(found.counts()).toEqual({ straight: 4, through: 0 });
    await expectWhole(found);
  });

  it("gets a new address where its own is too old", async () => {
    const found = await rig.begin({ firstLifeSeconds: 1 });
    const late = { after: () => setTimeout(2100) };
    rig.proxy.rules = [{ on: straight, deed: late, times: 1 }];
    for (const part of parts) await found.store.putPart(found.upload, part, soon());
    expect(found.counts()).toEqual({ straight: 4, through: 0 });
    await expectWhole(found);
  });

  it("waits where the engine has too much to do", async () => {
    const found = await rig.begin();
    rig.proxy.rules = [refusing(503, xml("SlowDown"), 1)];
    const sent = found.store.putPart(found.upload, first, soon());
    await expect(sent).rejects.toEqual(
      expect.objectContaining({
        code: "unavailable.busy",
        facts: expect.objectContaining({ retryAfterSeconds: 7 }) as unknown,
      }),
    );
    for (const part of parts) await found.store.putPart(found.upload, part, soon());
    expect(found.counts()).toEqual({ straight: 4, through: 0 });
  });

  it.each([
    ["a sign-in page", refusing(200, "<html>Sign in</html>"), 1],
    ["nothing that an engine would say", refusing(200, ""), 1],
    ["a redirect", refusing(302, ""), 1],
    ["what a proxy says that wants a name", refusing(407, ""), 1],
    ["an engine in trouble", refusing(500, xml("InternalError")), 1],
    ["a proxy that has no way", refusing(503, "<html>No way</html>"), 1],
    ["a proxy that forbids it", refusing(403, "<html>Forbidden</html>"), 2],
    ["a connection that breaks", breaking, 1],
  ])("goes through the server where the answer is %s", async (_, rule, straight) => {
    const found = await rig.begin();
    rig.proxy.rules = [rule];
    for (const part of parts) await found.store.putPart(found.upload, part, soon());
    expect(found.counts()).toEqual({ straight, through: 3 });
    await expectWhole(found);
  });

  it.each([
    ["nothing listens", async () => `http://127.0.0.1:${await freePort()}`],
    ["there is no such name", () => "https://engine.invalid"],
    ["the certificate is not trusted", () => rig.ceph.tls.url],
    ["the way there is in the clear", () => "http://192.0.2.1"],
  ])("goes through the server where %s", async (_, place: () => string | Promise<string>) => {
    const origin = await place();
    const found = await rig.begin({ change: leadingTo(() => origin) });
    for (const part of parts) await found.store.putPart(found.upload, part, soon());
    expect(found.counts()).toEqual({ straight: 0, through: 3 });
    await expectWhole(found);
  });

  it("waits for an engine that was reached before, and then goes through the server", async () => {
    const found = await rig.begin();
    const failures: string[] = [];
    for (const [patienceMs, outcome] of [
      [60_000, "unavailable.store"],
      [0, "through the server"],
    ] as const) {
      const toEngine = new ToEngine(found.person.session, patienceMs);
      rig.proxy.rules = [];
      expect(await toEngine.send(found.upload, first, soon())).toBe(true);
      rig.proxy.rules = [breaking];
      const sent = toEngine.send(found.upload, second, soon());
      sent.catch((error: unknown) => failures.push(inspect(error, { depth: 20 })));
      if (patienceMs === 0) expect([await sent, outcome]).toEqual([false, "through the server"]);
      else await expect(sent).rejects.toEqual(code(outcome));
    }
    // An address is a secret: nothing that a failure holds, or stands upon, has a word of it.
    expect(failures).toEqual([expect.stringContaining("could not be reached")]);
    expect(failures.join()).not.toContain(toAddress);
  });

  it("does not go to this very computer for a server that is elsewhere", async () => {
    const found = await rig.begin();
    const { session } = found.person;
    const { pace, stallMs, statement, clientId, signer, clockOffsetMs } = session;
    const toEngine = new ToEngine({
      ...{ pace, stallMs, statement, clientId, signer, clockOffsetMs },
      url: "https://evidence.example",
      routeTo: (url) => session.routeTo(url),
      call: (call, signal) => session.call(call, signal),
      accessToken: (signal) => session.accessToken(signal),
      askAgain: () => Promise.resolve(),
      dropToken: () => undefined,
    });
    expect(await toEngine.send(found.upload, first, soon())).toBe(false);
    expect(found.counts()).toEqual({ straight: 0, through: 0 });
  });

  it("is stopped with its upload", async () => {
    const found = await rig.begin();
    const stop = new AbortController();
    rig.proxy.rules = [{ on: straight, deed: { stallAt: mib } }];
    const sent = found.store.putPart(found.upload, first, stop.signal);
    const stopped = expect(sent).rejects.toThrow("stopped by the test");
    while (found.counts().straight === 0) await setTimeout(10);
    stop.abort(new Error("stopped by the test"));
    await stopped;
  });
});
