import { beforeAll, describe, expect, it } from "@jest/globals";
import { checkCustody, emptyCustody, nextCustodyLine } from "../../src/evidence/custody.ts";
import { digestField, parseDigestField, sha256Of } from "../../src/evidence/digest.ts";
import { keptDiffers, keptSchema } from "../../src/evidence/kept.ts";
import { proofLevels, proves } from "../../src/evidence/proof.ts";
import { randomId } from "../../src/evidence/random-id.ts";
import { recordSchema } from "../../src/evidence/record.ts";
import {
  newPrivateJwk,
  openSealed,
  seal,
  signingKey,
  type Sealed,
  type SigningKey,
} from "../../src/evidence/seal.ts";
import { recipientSchema } from "../../src/evidence/share.ts";

describe("a sealed document", () => {
  let key: SigningKey;
  let other: SigningKey;
  let sealed: Sealed;

  beforeAll(async () => {
    key = await signingKey(await newPrivateJwk());
    other = await signingKey(await newPrivateJwk());
    sealed = await seal({ hello: "world" }, "exhibit.test/1", key);
  });

  it("opens with the pinned key", async () => {
    await expect(openSealed(sealed, "exhibit.test/1", key.publicJwk)).resolves.toEqual({
      hello: "world",
    });
  });

  it("opens when another party has signed the same bytes before", async () => {
    const second = await seal({ hello: "world" }, "exhibit.test/1", other);
    const both = { ...sealed, signatures: [...second.signatures, ...sealed.signatures] };
    await expect(openSealed(both, "exhibit.test/1", key.publicJwk)).resolves.toBeDefined();
    await expect(openSealed(both, "exhibit.test/1", other.publicJwk)).resolves.toBeDefined();
  });

  it.each<[string, (sealed: Sealed) => Promise<unknown>]>([
    ["another key", (one) => openSealed(one, "exhibit.test/1", other.publicJwk)],
    ["another type", (one) => openSealed(one, "exhibit.record/1", key.publicJwk)],
    [
      "a changed payload",
      (one) => {
        const payload = Buffer.from('{"hello":"mars!"}').toString("base64url");
        return openSealed({ ...one, payload }, "exhibit.test/1", key.publicJwk);
      },
    ],
    [
      "a header that says alg none",
      (one) => {
        const header = Buffer.from('{"alg":"none","typ":"exhibit.test/1"}').toString("base64url");
        const signatures = [{ protected: header, signature: "" }];
        return openSealed({ ...one, signatures }, "exhibit.test/1", key.publicJwk);
      },
    ],
  ])("is refused with %s", async (_, open) => {
    await expect(open(sealed)).rejects.toMatchObject({ code: "integrity.signature" });
  });
});

describe("a custody log", () => {
  const exhibit = randomId("x");
  const lines = chain(exhibit, ["reserved", "received", "proved", "sealed", "disclosed"]);

  function chain(
    id: string,
    verbs: readonly ("reserved" | "received" | "proved" | "sealed" | "disclosed")[],
  ): string[] {
    let head = emptyCustody;
    return verbs.map((verb, at) => {
      const next = nextCustodyLine(head, {
        exhibit: id,
        at: `2026-11-22T10:00:0${at}Z`,
        verb,
        actor: "i1",
        facts: { files: at },
      });
      head = next.after;
      return next.line;
    });
  }

  it("checks from its first line to its head", () => {
    const { events, head } = checkCustody(lines);
    expect(events.map((event) => event.verb)).toEqual([
      "reserved",
      "received",
      "proved",
      "sealed",
      "disclosed",
    ]);
    expect(head).toEqual({ lines: 5, head: sha256Of(lines[4] ?? "") });
  });

  it.each<[string, (lines: string[]) => string[], number]>([
    [
      "a byte changed",
      (all) => all.map((line, at) => (at === 1 ? line.replace('"i1"', '"i2"') : line)),
      3,
    ],
    ["a line taken out", (all) => all.filter((_, at) => at !== 2), 3],
    [
      "two lines swapped",
      (all) => [all[0], all[2], all[1], all[3], all[4]].map((line) => line ?? ""),
      2,
    ],
    [
      "a line put in twice",
      (all) => all.flatMap((line, at) => (at === 3 ? [line, line] : [line])),
      5,
    ],
    [
      "a line of another exhibit",
      (all) => [all[0] ?? "", ...chain(randomId("x"), ["reserved", "sealed"]).slice(1)],
      2,
    ],
    ["the first line gone", (all) => all.slice(1), 1],
    [
      "a line that is not JSON",
      (all) => all.map((line, at) => (at === 4 ? line.slice(1) : line)),
      5,
    ],
  ])("notices %s", (_, tamper, at) => {
    expect(() => checkCustody(tamper([...lines]))).toThrow(`at line ${at}.`);
  });
});

describe("a record", () => {
  const record = {
    schema: "exhibit.record/1",
    id: randomId("x"),
    case: "01AB1234526",
    reference: "ABC/1",
    sourceId: "s",
    collectedAt: "2026-11-22T10:00:00Z",
    files: [
      {
        path: "cam 1/clip.mp4",
        key: "01AB1234526/ABC_1/ABC_1-0001.mp4",
        sizeBytes: 1,
        modifiedAt: "2026-11-22T10:00:00Z",
        digest: { sha256: "0".repeat(64) },
        mediaType: "video/mp4",
      },
    ],
    uploader: { key: { kty: "OKP", crv: "Ed25519", x: "A".repeat(43) }, thumbprint: "t" },
    tool: { name: "exhibit", version: "0" },
  };

  it.each<[string, object, boolean]>([
    ["as it is", {}, true],
    ["an x- field", { "x-force": { division: 3 } }, true],
    ["an unknown field", { force: 3 }, false],
    ["no files", { files: [] }, false],
    [
      "a digest in capitals",
      { files: [{ ...record.files[0], digest: { sha256: "A".repeat(64) } }] },
      false,
    ],
    ["a key that climbs", { files: [{ ...record.files[0], key: "../x" }] }, false],
    ["a negative size", { files: [{ ...record.files[0], sizeBytes: -1 }] }, false],
    ["a time without zone", { collectedAt: "2026-11-22T10:00:00" }, false],
    ["another schema", { schema: "exhibit.record/2" }, false],
  ])("with %s", (_, change, accepted) => {
    expect(recordSchema.safeParse({ ...record, ...change }).success).toBe(accepted);
  });
});

describe("digests and proofs", () => {
  it("writes Content-Digest as RFC 9530 does and reads it back", () => {
    // The example of RFC 9530 section 2, for the body `{"hello": "world"}` and a line feed.
    const field = "sha-256=:RK/0qy18MlBSVnWgjwz6lZEWjP/lF5HF9bvEF8FabDg=:";
    const sha256 = sha256Of('{"hello": "world"}\n');
    expect(digestField(sha256)).toBe(field);
    expect(parseDigestField(`sha-512=:AAAA:, ${field}`)).toBe(sha256);
  });

  it.each([
    undefined,
    "",
    "sha-256=",
    "md5=:AAAA:",
    "sha-256=:short:",
    "xsha-256=:RK/0qy18MlBSVnWgjwz6lZEWjP/lF5HF9bvEF8FabDg=:",
  ])("reads no digest from %j", (field) => {
    expect(parseDigestField(field)).toBeUndefined();
  });

  it("orders proofs from whole down to size", () => {
    const enough = proofLevels.filter((level) => proves(level, "transport"));
    expect(enough).toEqual(["whole", "parts", "read-back", "transport"]);
  });
});

describe("what a store keeps of an object", () => {
  const before = {
    version: "v1",
    etag: "e1",
    etagIs: "md5",
    checksums: { crc64nvme: "c1" },
  } as const;

  it.each([
    ["is the same", before, { version: "v1", etag: "e1", checksums: { crc64nvme: "c1" } }, []],
    ["is another version", before, { ...before, version: "v2" }, ["version v2 instead of v1"]],
    ["has a version now", { etag: "e1" }, { ...before }, ["version v1 instead of none"]],
    ["has no version now", before, { etag: "e1" }, ["version none instead of v1"]],
    ["has another ETag", { etag: "e1" }, { etag: "e2" }, ["ETag e2 instead of e1"]],
    [
      "has another checksum",
      before,
      { ...before, checksums: { crc64nvme: "c2" } },
      ["crc64nvme c2 instead of c1"],
    ],
    ["has an SHA-1, as Box keeps it", box("1", "ab"), box("1", "ab"), []],
    [
      "has another SHA-1",
      box("1", "ab"),
      box("2", "cd"),
      ["version 2 instead of 1", "sha1 cd instead of ab"],
    ],
    ["cannot be compared without a digest", { version: "v1" }, { ...before }, undefined],
    ["cannot be compared where the store tells none now", before, { version: "v1" }, undefined],
    [
      "cannot be compared by other digests",
      { etag: "e1" },
      { checksums: { sha1: "ab" } },
      undefined,
    ],
  ])("%s", (_, was, is, differs) => {
    for (const kept of [was, is]) expect(keptSchema.parse(kept)).toEqual(kept);
    expect(keptDiffers(was, is)).toEqual(differs);
  });

  function box(version: string, sha1: string): { version: string; checksums: { sha1: string } } {
    return { version, checksums: { sha1 } };
  }
});

describe("a recipient", () => {
  it.each([
    [{ name: "Jo Smith", email: "jo@cps.example" }, true],
    [{ name: "<b>Ünal</b> & Søn", email: "a+b@x.example" }, true],
    [{ name: "Jo\u202Egnp", email: "jo@cps.example" }, false],
    [{ name: "Jo\nBcc: x", email: "jo@cps.example" }, false],
    [{ name: " ", email: "jo@cps.example" }, false],
    [{ name: "Jo", email: "jo@@cps" }, false],
    [{ name: "Jo", email: "jo@cps.example\r\nBcc: x@y.example" }, false],
  ])("%j", (recipient, accepted) => {
    expect(recipientSchema.safeParse(recipient).success).toBe(accepted);
  });
});
