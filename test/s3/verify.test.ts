import { createHash, randomBytes } from "node:crypto";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "@jest/globals";
import { sha256Of } from "../../src/evidence/digest.ts";
import type { Kept, StoreCheck } from "../../src/evidence/kept.ts";
import { finish, start } from "../support/built-program.ts";
import { bootCeph, type Ceph } from "../support/ceph.ts";
import { startFaultProxy, type FaultProxy } from "../support/fault-proxy.ts";
import { asUser, makeBucket, succeed, type S3User } from "../support/s3-user.ts";
import { bootSwift, type Swift } from "../support/swift.ts";

const mib = 1024 * 1024;
const partBytes = 5 * mib;
/** Documents and answers, but neither of the files. */
const fewBytes = 50_000;

interface VerifyDocument {
  readonly files: readonly { readonly outcome: string; readonly checkedBy: string }[];
  readonly failed: readonly { readonly path: string; readonly code: string; message: string }[];
}

interface ReceiptDocument {
  readonly files: readonly { readonly key: string; readonly proof: string; readonly kept?: Kept }[];
  readonly storeCheck?: StoreCheck;
  readonly path: string;
}

let folder: string;
/** Sent in one request, and in two parts. */
let small: Buffer;
let large: Buffer;

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "exhibit-s3-verify-"));
  small = Buffer.from(randomBytes(35_000).toString("hex"));
  large = randomBytes(partBytes + 1000);
  await writeFile(path.join(folder, "a.bin"), small);
  await writeFile(path.join(folder, "b.bin"), large);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** Runs the program with somebody's keys, through a proxy that counts. */
class Place {
  readonly #user: S3User;
  readonly proxy: FaultProxy;
  constructor(user: S3User, proxy: FaultProxy) {
    this.#user = user;
    this.proxy = proxy;
  }

  exhibit(...argv: string[]): ReturnType<typeof finish> {
    return finish(start(folder, argv, asUser(this.#user)));
  }

  /** A new bucket as a store of the same name, tried out, with both files in it as one exhibit. */
  async withExhibit(bucket: string, kind: "plain" | "versioned"): Promise<ReceiptDocument> {
    await makeBucket(this.#user, bucket, kind);
    const url = `s3://${bucket}/e?endpoint=${encodeURIComponent(this.proxy.url)}`;
    expect(await this.exhibit("store", "add", bucket, url)).toMatchObject({ code: 0 });
    expect(await this.exhibit("store", "check", bucket)).toMatchObject({ code: 0 });
    return this.upload(bucket);
  }

  async upload(store: string, caseRef = "C1"): Promise<ReceiptDocument> {
    const files = ["a.bin", "b.bin"].map((name) => path.join(folder, name));
    const what = ["--one-exhibit", "--case", caseRef, "--ref", "ABC/1", "--part-size", "5M"];
    const ran = await this.exhibit("upload", ...files, ...what, "--store", store, "--json");
    expect([ran.code, ran.err]).toEqual([0, ""]);
    const { exhibits } = JSON.parse(ran.out) as {
      exhibits: { receipt: Omit<ReceiptDocument, "path">; receiptPath: string }[];
    };
    const [{ receipt, receiptPath } = { receipt: { files: [] }, receiptPath: "" }] = exhibits;
    return { ...receipt, path: receiptPath };
  }

  /** What verify found, its exit code, and how many bytes came from the engine for it. */
  async verify(
    store: string,
    exhibit: string,
    ...flags: string[]
  ): Promise<{ code: number | null; down: number } & VerifyDocument> {
    const before = this.proxy.bytesDown;
    const ran = await this.exhibit("verify", exhibit, "--store", store, "--json", ...flags);
    const down = this.proxy.bytesDown - before;
    return { code: ran.code, down, ...(JSON.parse(ran.out) as VerifyDocument) };
  }
}

function md5(bytes: Buffer): Buffer {
  return createHash("md5").update(bytes).digest();
}

/** The ETags as anyone can work them out from the files. */
function etags(): { etag: string; etagIs: string }[] {
  const parts = [large.subarray(0, partBytes), large.subarray(partBytes)].map(md5);
  return [
    { etag: md5(small).toString("hex"), etagIs: "md5" },
    { etag: `${md5(Buffer.concat(parts)).toString("hex")}-2`, etagIs: "md5-of-md5s" },
  ];
}

const unread = [
  { outcome: "matches", checkedBy: "store-digest" },
  { outcome: "matches", checkedBy: "store-digest" },
];
const reread = unread.map((one) => ({ ...one, checkedBy: "re-read" }));

describe("on Ceph", () => {
  let ceph: Ceph;
  let user: S3User;
  let place: Place;
  beforeAll(async () => {
    ceph = await bootCeph();
    user = { ...(await ceph.addUser()), url: ceph.url };
    place = new Place(user, await startFaultProxy(Number(new URL(ceph.url).port)));
  });
  afterAll(async () => {
    await place.proxy.close();
    await ceph.close();
  });

  describe.each(["plain", "versioned"] as const)("in a bucket that is %s", (kind) => {
    let bucket: string;
    let receipt: ReceiptDocument;
    beforeAll(async () => {
      bucket = `whole-${kind}`;
      receipt = await place.withExhibit(bucket, kind);
    });

    it("the receipt says what the store keeps, and what it was found to enforce", async () => {
      const [inOne, inParts] = etags();
      const isVersioned = kind === "versioned";
      const version = isVersioned ? { version: expect.stringMatching(/^\S{10,}$/) } : {};
      const looked = { noOverwrite: "looked-before-and-after" };
      expect(receipt.files.map(({ proof }) => proof)).toEqual(["parts", "parts"]);
      expect(receipt.files.map(({ kept }) => kept)).toEqual([
        // With versions, this engine ignores If-None-Match.
        { ...inOne, ...version, ...(isVersioned ? looked : { noOverwrite: "if-none-match" }) },
        { ...inParts, ...version, ...looked },
      ]);
      expect(receipt.storeCheck).toEqual({
        checkedAt: expect.stringMatching(/^\d{4}-/),
        enforces: [
          ...["payload-hash", "content-md5"],
          ...(isVersioned ? ["versioning"] : ["no-overwrite-put"]),
        ],
      });
      const shown = await place.exhibit("show", "C1:ABC/1", "--store", bucket);
      expect(shown.out).toContain("the signed SHA-256 of what arrives, Content-MD5");
      expect(shown.out).toContain(`ETag ${inOne?.etag ?? ""} (the MD5 of the file)`);
      expect(shown.out).toContain("(the MD5 of its parts' MD5s), that nothing was overwritten was");
      const checked = await place.exhibit(
        ...["receipt", "verify", receipt.path, path.join(folder, "a.bin")],
      );
      expect([checked.code, checked.err]).toEqual([
        0,
        expect.stringContaining("the store enforced the signed SHA-256 of what arrives"),
      ]);
      expect(checked.err).toContain(`ETag ${inOne?.etag ?? ""} (the MD5 of the file)`);
    });

    it("nothing is read without --deep, and everything with it", async () => {
      const told = await place.verify(bucket, "C1:ABC/1");
      expect([told.code, told.files]).toMatchObject([0, unread]);
      expect(told.down).toBeLessThan(fewBytes);
      const deep = await place.verify(bucket, "C1:ABC/1", "--deep");
      expect([deep.code, deep.files]).toMatchObject([0, reread]);
      expect(deep.down).toBeGreaterThan(small.length + large.length);
      const before = place.proxy.bytesDown;
      const sample = await place.exhibit("verify", "--sample", "100%", "--store", bucket);
      expect([sample.code, sample.err]).toEqual([0, expect.stringContaining("1 of 1 exhibits")]);
      expect(place.proxy.bytesDown - before).toBeGreaterThan(small.length + large.length);
    });

    it("it is said in words that nothing was read", async () => {
      const told = await place.exhibit("verify", "C1:ABC/1", "--store", bucket);
      expect(told.out).toBe(
        `${sha256Of(small)}  OK  store digest  a.bin\n${sha256Of(large)}  OK  store digest  b.bin\n`,
      );
      expect(told.err.trimEnd().split("\n").at(-1)).toMatch(
        /^ {2}No byte was read again: .*--deep/,
      );
      const deep = await place.exhibit("verify", "C1:ABC/1", "--store", bucket, "--deep");
      expect(deep.out).toContain("OK  re-read  b.bin");
      expect(deep.err).not.toContain("read again");
    });

    describe("an object that was", () => {
      let exhibit: string;
      let object: string;
      let ordinal = 0;
      beforeEach(async () => {
        ordinal += 1;
        exhibit = `H${ordinal}:ABC/1`;
        const { files } = await place.upload(bucket, `H${ordinal}`);
        object = `/${bucket}/e/${files[0]?.key ?? ""}`;
      });

      it.each([
        ["replaced by other bytes of its size", 70_000, "ETag"],
        ["replaced by other bytes of another size", 70_001, "70001 bytes instead of 70000"],
      ])("%s is found, with --deep too", async (_, bytes, words) => {
        await succeed(user, "PUT", object, { body: "x".repeat(bytes) });
        const told = await place.verify(bucket, exhibit);
        expect([told.code, told.files]).toMatchObject([
          6,
          [{ outcome: "differs", checkedBy: "store-digest" }, unread[1]],
        ]);
        expect(told.failed).toMatchObject([{ path: "a.bin", code: "integrity.mismatch" }]);
        const [{ message } = { message: "" }] = told.failed;
        expect(message).toContain(words);
        expect(message.includes("version ")).toBe(kind === "versioned");
        expect(told.down).toBeLessThan(fewBytes);
        const deep = await place.verify(bucket, exhibit, "--deep");
        expect([deep.code, deep.files]).toMatchObject([
          6,
          [{ outcome: "differs", checkedBy: "re-read" }, reread[1]],
        ]);
      });

      it("deleted is found", async () => {
        await succeed(user, "DELETE", object);
        for (const flags of [[], ["--deep"]]) {
          const told = await place.verify(bucket, exhibit, ...flags);
          expect([told.code, told.files]).toMatchObject([5, [{ outcome: "missing" }, {}]]);
          expect(told.failed).toMatchObject([{ path: "a.bin", code: "not-found.content" }]);
        }
      });

      it("written again with its own bytes is another one where versions tell, and --deep reads that it is the same", async () => {
        await succeed(user, "PUT", object, { body: small.toString() });
        const told = await place.verify(bucket, exhibit);
        expect(told.files[0]?.outcome).toBe(kind === "versioned" ? "differs" : "matches");
        expect(told.files[0]?.checkedBy).toBe("store-digest");
        const deep = await place.verify(bucket, exhibit, "--deep");
        expect([deep.code, deep.files]).toMatchObject([0, reread]);
      });
    });
  });

  it("a receipt that does not say what the store keeps has the bytes read", async () => {
    const { files } = await place.withExhibit("old-receipt", "plain");
    const exhibit = (files[0]?.key ?? "").slice(0, (files[0]?.key ?? "").lastIndexOf("/"));
    // The machine signs another one, from the record and the custody log alone.
    await succeed(user, "DELETE", `/old-receipt/e/${exhibit}/receipt.json`);
    const told = await place.verify("old-receipt", "C1:ABC/1");
    expect([told.code, told.files]).toMatchObject([0, reread]);
    expect(told.down).toBeGreaterThan(small.length + large.length);
  });

  it("a check that is older than 30 days counts, and that it is so old is told", async () => {
    await place.withExhibit("aged", "plain");
    const file = path.join(folder, "config", "store-checks.json");
    const kept = await readFile(file, "utf8");
    for (const [days, isTold] of [
      [31, true],
      [29, false],
    ] as const) {
      const at = new Date(Date.now() - days * 24 * 3600 * 1000).toISOString();
      await writeFile(file, kept.replaceAll(/("checkedAt": ")[^"]+/g, `$1${at}`));
      const ran = await place.exhibit("verify", "C1:ABC/1", "--store", "aged");
      expect([ran.code, ran.out]).toEqual([0, expect.stringContaining("OK  store digest")]);
      const warning = `warning: What the store aged enforces was tried out last on ${at.slice(0, 10)}`;
      expect(ran.err.includes(warning)).toBe(isTold);
      expect(ran.err.includes("exhibit store check aged\n")).toBe(isTold);
    }
    await writeFile(file, kept);
  });
});

describe("on Swift", () => {
  let swift: Swift;
  let place: Place;
  beforeAll(async () => {
    swift = await bootSwift();
    place = new Place(swift, await startFaultProxy(Number(new URL(swift.url).port)));
  }, 120_000);
  afterAll(async () => {
    await place.proxy.close();
    await swift.close();
  });

  it("receipts say that it was looked, not refused; replaced bytes are found without reading", async () => {
    const { files, storeCheck } = await place.withExhibit("whole-swift", "plain");
    const looked = { noOverwrite: "looked-before-and-after" };
    expect(files.map(({ kept }) => kept)).toEqual(etags().map((one) => ({ ...one, ...looked })));
    expect(storeCheck?.enforces).toEqual(["payload-hash", "content-md5"]);
    const told = await place.verify("whole-swift", "C1:ABC/1");
    expect([told.code, told.files]).toMatchObject([0, unread]);
    expect(told.down).toBeLessThan(fewBytes);
    const object = `/whole-swift/e/${files[0]?.key ?? ""}`;
    await succeed(swift, "PUT", object, { body: "x".repeat(small.length) });
    const found = await place.verify("whole-swift", "C1:ABC/1");
    expect([found.code, found.files]).toMatchObject([6, [{ outcome: "differs" }, unread[1]]]);
  });
});
