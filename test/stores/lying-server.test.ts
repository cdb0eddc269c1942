import { once } from "node:events";
import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { buffer } from "node:stream/consumers";
import { afterEach, describe, expect, it } from "@jest/globals";
import { sha256Of } from "../../src/evidence/digest.ts";
import type { Store } from "../../src/evidence/ports/store.ts";
import { newPrivateJwk, signingKey } from "../../src/evidence/seal.ts";
import { openNetwork } from "../../src/platform/network.ts";
import { callServer } from "../../src/stores/server/http.ts";
import type { Session } from "../../src/stores/server/session.ts";
import { storeOf } from "../../src/stores/server/store.ts";
import { unlimited } from "../support/unlimited.ts";

const signal = AbortSignal.timeout(30_000);
const key = "01AB1234526/ABC_1/ABC_1-0001.mp4";
const bytes = Buffer.alloc(3000, 7);
const sha256 = sha256Of(bytes);
const part = { offset: 0, length: 3000, sha256, bytes };
const network = openNetwork({
  proxyUrl: undefined,
  noProxy: undefined,
  caPem: undefined,
  pace: unlimited,
});

let server: Server | undefined;
afterEach(() => {
  server?.closeAllConnections();
  server?.close();
});

/** A store client in a session with a server that says what the test wants. */
async function against(answer: RequestListener): Promise<{ store: Store; url: string }> {
  server = createServer(answer).listen(0, "127.0.0.1");
  await once(server, "listening");
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const route = network.route(url);
  const signer = await signingKey(await newPrivateJwk());
  const session: Session = {
    url,
    routeTo: (to) => network.route(to),
    pace: network.pace,
    stallMs: network.stallMs,
    clientId: "i0",
    signer,
    clockOffsetMs: 0,
    statement: {
      schema: "exhibit.server/1",
      nonce: "n",
      at: "2026-11-22T10:00:00Z",
      publicUrl: url,
      issuer: `${url}/oauth`,
      organisation: "Test",
      version: "0",
      key: signer.publicJwk,
      thumbprint: signer.thumbprint,
      limits: {
        partLengths: "any",
        minPartBytes: 1,
        maxPartBytes: 2 ** 26,
        maxParts: 1000,
        maxPutBytes: 2 ** 26,
        maxObjectBytes: 2 ** 40,
      },
    },
    call: (call, stop) => callServer(url, route, call, { authorization: "Bearer secret" }, stop),
    accessToken: () => Promise.resolve("secret"),
    askAgain: () => Promise.resolve(),
    dropToken: () => undefined,
  };
  return { store: storeOf(session), url };
}

function json(status: number, body: unknown): RequestListener {
  return (request, response) => {
    request.resume().once("end", () => {
      response.writeHead(status, { "content-type": "application/json" });
      response.end(JSON.stringify(body));
    });
  };
}

function code(value: string): unknown {
  return expect.objectContaining({ code: value });
}

const upload = { id: "u1", key, sizeBytes: 3000, partBytes: 3000 };
const state = (url: string) => ({
  ...upload,
  state: "receiving",
  startedAt: "2026-11-22T10:00:00Z",
  expiresAt: "2126-11-22T10:00:00Z",
  receivedBytes: 0,
  parts: [],
  part: { url, method: "PUT", headers: {}, expiresAt: "2126-11-22T10:00:00Z" },
});

describe("what a server says it stored", () => {
  const stored = { key, sizeBytes: 3000, sha256, proof: "whole" };
  it.each([
    ["another digest", { ...stored, sha256: sha256Of("x") }, "integrity.mismatch"],
    ["another size", { ...stored, sizeBytes: 2999 }, "integrity.mismatch"],
    ["another key", { ...stored, key: key.replace("0001", "0002") }, "integrity.mismatch"],
    ["no digest", { key, sizeBytes: 3000, proof: "whole" }, "unavailable.store"],
    ["nothing", {}, "unavailable.store"],
  ])("is not believed with %s", async (_, body, expected) => {
    const { store } = await against(json(200, body));
    await expect(store.put(key, bytes, sha256, signal)).rejects.toEqual(code(expected));
    await expect(store.complete(upload, { sha256 }, signal)).rejects.toEqual(code(expected));
  });
});

describe("where a server sends its clients", () => {
  it("is not followed by redirect, neither with the content nor with the token", async () => {
    const asked: string[] = [];
    const { store } = await against((request, response) => {
      asked.push(request.url ?? "");
      response.writeHead(307, { location: "/elsewhere" }).end();
    });
    await expect(store.put(key, bytes, sha256, signal)).rejects.toEqual(code("unavailable.store"));
    await expect(store.uploads(signal)).rejects.toEqual(code("unavailable.store"));
    expect(asked).not.toContain("/elsewhere");
  });

  it("is not another address over plain http: nothing is sent there", async () => {
    const { store } = await against(json(200, state("http://127.0.0.1:9/{offset}")));
    await expect(store.putPart(upload, part, signal)).rejects.toEqual(
      code("policy.insecure-address"),
    );
  });

  it("is not believed about another upload", async () => {
    const { store } = await against(json(200, { ...state("parts/{offset}"), sizeBytes: 1 }));
    await expect(store.begin(key, 3000, 3000, signal)).rejects.toEqual(code("unavailable.store"));
    await expect(store.listParts(upload, signal)).rejects.toEqual(code("unavailable.store"));
  });
});

describe("what a server says it holds", () => {
  const held = (offset: number, length: number) => ({ offset, length, sha256 });
  it.each([
    ["parts that overlap", [held(0, 2000), held(1000, 2000)]],
    ["the same part twice", [held(0, 1000), held(0, 1000)]],
    ["a part behind the file's end", [held(3000, 1000)]],
    ["a part that reaches over the end", [held(2000, 2000)]],
    ["a negative offset", [held(-1, 1000)]],
    ["an empty part", [held(0, 0)]],
  ])("is not believed with %s", async (_, parts) => {
    const { store } = await against(json(200, { ...state("parts/{offset}"), parts }));
    await expect(store.listParts(upload, signal)).rejects.toEqual(code("unavailable.store"));
  });

  it("is not believed of a part where the answer is a page", async () => {
    const { store } = await against((request, response) => {
      request.resume().once("end", () => {
        const isPart = request.method === "PUT";
        response.setHeader("content-type", isPart ? "text/html" : "application/json");
        response.end(isPart ? "<h1>Sign in</h1>" : JSON.stringify(state("parts/{offset}")));
      });
    });
    await expect(store.putPart(upload, part, signal)).rejects.toEqual(code("unavailable.store"));
  });
});

describe("the wire", () => {
  it("delivers a refusal that comes while a large body is still going out", async () => {
    const { store } = await against((_request, response) => {
      response.writeHead(507, { "content-type": "application/problem+json" });
      response.end(JSON.stringify({ title: "Full.", status: 507, code: "unavailable.no-space" }));
    });
    const large = Buffer.alloc(32 * 1024 * 1024);
    const digest = sha256Of(large);
    for (let turn = 0; turn < 5; turn += 1) {
      await expect(store.put(key, large, digest, signal)).rejects.toEqual(
        code("unavailable.no-space"),
      );
    }
  });

  it.each([
    ["breaks off", { "content-length": "3000" }],
    ["ends early without a length", {}],
  ])("never just ends when the server %s", async (_, headers) => {
    const { store } = await against((_request, response) => {
      response.writeHead(200, headers).write(bytes.subarray(0, 1000), () => {
        response.destroy();
      });
    });
    const reading = store.open(key, undefined, signal).then((stream) => buffer(stream));
    await expect(reading).rejects.toEqual(code("unavailable.store"));
  });

  it("refuses other bytes than the range that was asked for", async () => {
    const { store } = await against((_request, response) => {
      response.writeHead(206, { "content-range": "bytes 0-9/3000", "content-length": "10" });
      response.end(bytes.subarray(0, 10));
    });
    await expect(store.open(key, { start: 5, end: 15 }, signal)).rejects.toEqual(
      code("usage.invalid"),
    );
  });
});
