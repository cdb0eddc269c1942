import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { access, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { digestField, sha256Of } from "../../../src/evidence/digest.ts";
import { contentKey } from "../../../src/evidence/key.ts";
import type { SmallExhibit } from "../../../src/evidence/ports/bundles.ts";
import { bundleLimits } from "../../../src/protocol/bundles.ts";
import { bundleTar } from "../../../src/stores/server/bundle-tar.ts";
import { raw } from "../../support/sending.ts";
import { soon, startServer, type Person, type TestServer } from "../../support/server.ts";
import {
  bundlesFor,
  smallExhibits,
  tarOf,
  send,
  codes,
  withHeader,
} from "../../support/small-exhibits.ts";

let server: TestServer;
let partner: Person;

beforeAll(async () => {
  server = await startServer();
  partner = await server.enrol("partner");
});

afterAll(() => server.stop());

function onDisk(key: string): string {
  return path.join(server.folder, "content", ...key.split("/"));
}

async function isOnDisk(key: string): Promise<boolean> {
  return access(onDisk(key)).then(
    () => true,
    () => false,
  );
}

describe("the stream of a bundle", () => {
  const small = (caseRef: string, bytes: Buffer): SmallExhibit => ({
    entry: {
      id: "x",
      case: caseRef,
      reference: "ABC/1",
      state: "open",
      reservedAt: "2026-11-25T09:00:00Z",
    },
    key: contentKey(caseRef, "ABC/1", 1, "call.wav"),
    bytes,
    sha256: sha256Of(bytes),
    record: { payload: "p".repeat(bytes.length), signatures: [{ protected: "h", signature: "s" }] },
  });

  it.each([0, 1, 511, 512, 513, 100_000])(
    "with a file of %d bytes is what GNU tar takes for one, and takes the same out of",
    async (length) => {
      const bytes = randomBytes(length);
      const exhibits = [small("A/1", bytes), small("LONG CASE ".repeat(9), bytes)];
      const folder = await mkdtemp(path.join(tmpdir(), "exhibit-tar-"));
      try {
        execFileSync("tar", ["xf", "-", "-C", folder], { input: bundleTar(exhibits) });
        for (const { key, record } of exhibits) {
          expect((await readFile(path.join(folder, key))).equals(bytes)).toBe(true);
          const text = await readFile(path.join(folder, path.dirname(key), "record.json"), "utf8");
          expect(JSON.parse(text)).toEqual(record);
        }
      } finally {
        await rm(folder, { recursive: true });
      }
    },
  );

  it("is not made for a key that a header cannot hold", () => {
    const long = small(`A${"(".repeat(60)}`, Buffer.from("x"));
    expect(() => bundleTar([long])).toThrow("too long for a bundle");
  });
});

describe("a stream", () => {
  /** A header's fields, by their offsets, of what has no other. */
  const file = { 0: "A/AB_1/AB_1-0001.mp4", 156: "0", 257: "ustar\0" + "00" };

  it.each<[string, (whole: Buffer) => [Buffer, string?]]>([
    ["that was cut between two files", (whole) => [whole.subarray(0, -1024)]],
    ["that was cut within a file", (whole) => [whole.subarray(0, 700)]],
    ["that is no tar", () => [Buffer.concat([randomBytes(4096), Buffer.alloc(1024)])]],
    ["with another digest", (whole) => [whole, sha256Of("another")]],
    [
      "with a bit flipped in a header",
      (whole) => {
        const flipped = Buffer.from(whole);
        flipped[3] = (flipped[3] ?? 0) ^ 1;
        return [flipped];
      },
    ],
    ["of nothing", () => [Buffer.alloc(0)]],
    ["with an entry longer than itself", (whole) => [withHeader(whole, { 124: "00077777777\0" })]],
    [
      "with an entry that reaches into its end",
      () => [withHeader(Buffer.alloc(3 * 512), { ...file, 124: "00000002000\0" })],
    ],
    ["with a size that is no octal number", (whole) => [withHeader(whole, { 124: "\x80" })]],
    ["with a negative size", (whole) => [withHeader(whole, { 124: "-0000000001\0" })]],
    ["with a header of no ustar", (whole) => [withHeader(whole, { 257: "\0" })]],
    [
      "with something after its end",
      (whole) => [Buffer.concat([whole, whole.subarray(0, 1024), Buffer.alloc(1024)])],
    ],
    ...["x", "g", "L"].map((type): [string, (whole: Buffer) => [Buffer]] => [
      `with a header of type ${type} that changes what comes after it`,
      (whole) => {
        const said = Buffer.alloc(1024);
        said.write("18 size=999999999\n", 512);
        const fields = { ...file, 124: "00000000022\0", 156: type };
        return [Buffer.concat([withHeader(said, fields), whole])];
      },
    ]),
  ])("%s is refused whole", async (_, broken) => {
    const exhibits = await smallExhibits(partner, 2);
    const answer = await send(partner, ...broken(bundleTar(exhibits)));
    expect([answer.status, answer.json["code"]]).toEqual([422, "integrity.mismatch"]);
    for (const { key } of exhibits) expect(await isOnDisk(key)).toBe(false);
    const sealed = await bundlesFor(partner).sendAll(exhibits, soon());
    expect(codes(sealed)).toEqual(["sealed", "sealed"]);
  });

  it.each<[string, Record<string, string>, string]>([
    ["no digest", { "content-type": "application/x-tar" }, "usage.missing"],
    ["another type", { "content-digest": digestField(sha256Of("")) }, "usage.invalid"],
  ])("with %s is refused", async (_, headers, expected) => {
    const answer = await raw(partner, { method: "POST", path: "/v1/bundles", headers, body: "x" });
    expect(answer.json["code"]).toBe(expected);
  });

  it("of more exhibits or bytes than a bundle may have is refused whole", async () => {
    const many = Array.from({ length: bundleLimits.maxExhibits + 1 }, (_unused, index) => ({
      name: `01AB1234526/SML_${index + 1}/record.json`,
      bytes: "{}",
    }));
    const large = Array.from({ length: 9 }, (_unused, index) => ({
      name: `01AB1234526/SML_${index + 1}/SML_${index + 1}-0001.mp4`,
      bytes: Buffer.alloc(bundleLimits.maxFileBytes),
    }));
    // So many of one exhibit must not keep the server from its other work.
    const empty = withHeader(Buffer.alloc(512), { ...file, 124: "00000000000\0" });
    const crowded = Buffer.concat([Buffer.alloc(20_000 * 512, empty), Buffer.alloc(1024)]);
    for (const stream of [await tarOf(many), await tarOf(large), crowded]) {
      const before = performance.now();
      const answer = await send(partner, stream);
      expect(performance.now() - before).toBeLessThan(5000);
      expect([answer.status, answer.json["code"]]).toEqual([413, "policy.too-large"]);
    }
  });
});
