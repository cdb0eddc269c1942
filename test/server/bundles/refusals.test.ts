import { randomBytes } from "node:crypto";
import { access } from "node:fs/promises";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import type { SmallExhibit } from "../../../src/evidence/ports/bundles.ts";
import { newPrivateJwk, seal, signingKey, unverifiedPayload } from "../../../src/evidence/seal.ts";
import { bundleLimits } from "../../../src/protocol/bundles.ts";
import { storeOf } from "../../../src/stores/server/store.ts";
import { recordOf } from "../../support/sending.ts";
import { soon, startServer, type Person, type TestServer } from "../../support/server.ts";
import {
  bundlesFor,
  smallExhibits,
  tarOf,
  filesOf,
  send,
  outcomes,
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

/** The same file with other bytes. */
function spoilt(exhibit: SmallExhibit): SmallExhibit {
  return { ...exhibit, bytes: randomBytes(exhibit.bytes.byteLength) };
}

describe("an exhibit in a bundle", () => {
  type Broken = (exhibit: SmallExhibit) => Promise<{ name: string; bytes: Uint8Array | string }[]>;
  const withRecord =
    (record: (exhibit: SmallExhibit) => Promise<unknown>): Broken =>
    async (exhibit) => {
      const [file, document] = filesOf(exhibit);
      if (file === undefined || document === undefined) return [];
      return [file, { ...document, bytes: JSON.stringify(await record(exhibit)) }];
    };
  const resealed = (changes: object) =>
    withRecord(({ record }) =>
      seal(
        { ...(unverifiedPayload(record) as object), ...changes },
        "exhibit.record/1",
        partner.session.signer,
      ),
    );
  const table: [string, string, Broken][] = [
    ["other bytes", "integrity.mismatch", (one) => Promise.resolve(filesOf(spoilt(one)))],
    [
      "bytes that were cut short",
      "integrity.mismatch",
      (one) => Promise.resolve(filesOf({ ...one, bytes: one.bytes.subarray(0, 999) })),
    ],
    ["a record for another id", "integrity.mismatch", resealed({ id: `x${"0".repeat(26)}` })],
    ["a record for another case", "integrity.mismatch", resealed({ case: "02CD" })],
    ["a record for another reference", "integrity.mismatch", resealed({ reference: "SML/999" })],
    ["a record for another source", "integrity.mismatch", resealed({ sourceId: "another" })],
    ["a record that is not well formed", "usage.invalid", resealed({ files: [] })],
    [
      "a record that someone else signed",
      "integrity.signature",
      withRecord(async ({ record }) =>
        seal(
          unverifiedPayload(record),
          "exhibit.record/1",
          await signingKey(await newPrivateJwk()),
        ),
      ),
    ],
    ["a record that is no document", "usage.invalid", withRecord(() => Promise.resolve("no"))],
    ["no record", "usage.invalid", (one) => Promise.resolve(filesOf(one).slice(0, 1))],
    ["no file", "usage.invalid", (one) => Promise.resolve(filesOf(one).slice(1))],
    [
      "two files",
      "usage.invalid",
      (one) =>
        Promise.resolve([...filesOf(one), { name: one.key.replace("0001", "0002"), bytes: "x" }]),
    ],
    [
      "another file's key",
      "integrity.mismatch",
      (one) =>
        Promise.resolve(
          filesOf(one).map((file) => ({ ...file, name: file.name.replace("0001", "0002") })),
        ),
    ],
    [
      "the key of a document",
      "usage.invalid",
      (one) =>
        Promise.resolve(
          filesOf(one).map((file) => ({
            ...file,
            name: file.name.replace(/SML_\d+-0001.mp4/, "receipt.json"),
          })),
        ),
    ],
    [
      "more bytes than a file in a bundle has",
      "policy.too-large",
      (one) =>
        Promise.resolve(filesOf({ ...one, bytes: Buffer.alloc(bundleLimits.maxFileBytes + 1) })),
    ],
    [
      "a record as long as a file",
      "policy.too-large",
      withRecord(() => Promise.resolve("x".repeat(64 * 1024))),
    ],
    [
      "a reference that nobody has reserved",
      "not-found.exhibit",
      (one) =>
        Promise.resolve(
          filesOf(one).map((file) => ({
            ...file,
            name: file.name.replaceAll(/SML_\d+/g, "SML_999999"),
          })),
        ),
    ],
  ];

  it.each(table)("is refused with %s: %s, and touches no other", async (_, expected, broken) => {
    const [before, refused, after] = await smallExhibits(partner, 3);
    if (before === undefined || refused === undefined || after === undefined) throw new Error();
    const files = [...filesOf(before), ...(await broken(refused)), ...filesOf(after)];
    const answer = await send(partner, await tarOf(files));
    expect(outcomes(answer)).toEqual(["sealed", expected, "sealed"]);
    expect(await isOnDisk(refused.key)).toBe(false);
    // Sent as it should have been, it is sealed.
    expect(codes(await bundlesFor(partner).sendAll([refused], soon()))).toEqual(["sealed"]);
  });

  it.each([
    ["../../../etc/cron.d/x", undefined],
    ["/etc/cron.d/x", undefined],
    [".uploads/x", undefined],
    ["01AB1234526/SML_1", "directory"],
    ["01AB1234526/SML_1/SML_1-0001.mp4", "symlink"],
  ] as const)("is nothing that goes by the name %s", async (name, type) => {
    const [good] = await smallExhibits(partner, 1);
    if (good === undefined) throw new Error("Nothing was reserved.");
    const stray = { name, bytes: "stray", ...(type === undefined ? {} : { type }) };
    const answer = await send(partner, await tarOf([stray, ...filesOf(good)]));
    expect(outcomes(answer)).toEqual(["usage.invalid", "sealed"]);
  });

  it.each(["5", "2", "7"])("is nothing of type %s, also where it has a size", async (type) => {
    const [good] = await smallExhibits(partner, 1);
    if (good === undefined) throw new Error("Nothing was reserved.");
    const stray = { name: "01AB1234526/SML_1/SML_1-0001.mp4", bytes: "x".repeat(600) };
    const stream = await tarOf([stray, ...filesOf(good)]);
    const answer = await send(partner, withHeader(stream, { 156: type }));
    expect(outcomes(answer)).toEqual(["usage.invalid", "sealed"]);
  });

  it("of someone else looks like none", async () => {
    const other = await server.enrol("officer");
    const [mine] = await smallExhibits(partner, 1);
    const [theirs] = await smallExhibits(other, 1);
    if (mine === undefined || theirs === undefined) throw new Error("Nothing was reserved.");
    const answer = await send(other, await tarOf([...filesOf(mine), ...filesOf(theirs)]));
    expect(outcomes(answer)).toEqual(["not-found.exhibit", "sealed"]);
    expect(await isOnDisk(mine.key)).toBe(false);
  });

  it("that was sealed with another record stays as it was", async () => {
    const [exhibit] = await smallExhibits(partner, 1);
    if (exhibit === undefined) throw new Error("Nothing was reserved.");
    const [first] = await bundlesFor(partner).sendAll([exhibit], soon());
    const { sourceId } = unverifiedPayload(exhibit.record) as { sourceId: string };
    const record = await recordOf(partner, exhibit.entry, sourceId, [exhibit], { title: "Other" });
    const answers = await bundlesFor(partner).sendAll([{ ...exhibit, record }], soon());
    expect(codes(answers)).toEqual(["conflict.sealed"]);
    expect(await bundlesFor(partner).sendAll([exhibit], soon())).toEqual([first]);
  });

  it("with an upload of another file under way is refused until that has ended", async () => {
    const [exhibit] = await smallExhibits(partner, 1);
    if (exhibit === undefined) throw new Error("Nothing was reserved.");
    const store = storeOf(partner.session);
    const upload = await store.begin(exhibit.key.replace("0001", "0002"), 10, 10, soon());
    const bundles = bundlesFor(partner);
    expect(codes(await bundles.sendAll([exhibit], soon()))).toEqual(["conflict.unfinished"]);
    await store.abort(upload, soon());
    expect(codes(await bundles.sendAll([exhibit], soon()))).toEqual(["sealed"]);
  });
});
