import { randomBytes } from "node:crypto";
import { readFile, readdir } from "node:fs/promises";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { checkCustody } from "../../../src/evidence/custody.ts";
import { sha256Of } from "../../../src/evidence/digest.ts";
import { ExhibitError } from "../../../src/evidence/errors.ts";
import type { SmallExhibit } from "../../../src/evidence/ports/bundles.ts";
import { checkDocuments } from "../../../src/evidence/checked-documents.ts";
import { bundlesOf } from "../../../src/stores/server/bundles.ts";
import { registerOf } from "../../../src/stores/server/register.ts";
import { storeOf } from "../../../src/stores/server/store.ts";
import { recordOf } from "../../support/sending.ts";
import { soon, startServer, type Person, type TestServer } from "../../support/server.ts";
import { bundlesFor, smallExhibits, send, codes } from "../../support/small-exhibits.ts";

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

function documentOf({ key }: SmallExhibit, name: string): string {
  return onDisk(key.replace(/[^/]+$/, name));
}

describe("a bundle", () => {
  it("seals each exhibit by itself: receipt under the pinned key, bytes and documents on the disk", async () => {
    const exhibits = await smallExhibits(partner, 40);
    const sealed = await bundlesFor(partner).sendAll(exhibits, soon());
    const register = registerOf(partner.session);
    for (const [index, exhibit] of exhibits.entries()) {
      const answer = sealed[index];
      if (answer === undefined || answer instanceof ExhibitError) throw answer ?? new Error();
      const { sealedRecord, sealedReceipt } = answer;
      const checked = await checkDocuments(
        exhibit.entry,
        sealedRecord,
        sealedReceipt,
        register.issuerKey,
      );
      expect(checked).toEqual(answer);
      expect(answer.receipt.files).toEqual([
        {
          key: exhibit.key,
          sizeBytes: 1000,
          digest: { sha256: sha256Of(exhibit.bytes) },
          proof: "whole",
        },
      ]);
      expect((await readFile(onDisk(exhibit.key))).equals(exhibit.bytes)).toBe(true);
      const text = (name: string): Promise<string> => readFile(documentOf(exhibit, name), "utf8");
      expect(await text("record.json")).toBe(JSON.stringify(sealedRecord));
      expect(await text("receipt.json")).toBe(JSON.stringify(sealedReceipt));
      const lines = (await text("custody.jsonl")).trimEnd().split("\n");
      const { events, head } = checkCustody(lines);
      expect(head).toEqual(answer.receipt.custody);
      expect(lines).toEqual(await register.custody(exhibit.entry, soon()));
      expect(events.map(({ verb, actor, facts }) => [verb, actor, facts])).toEqual(
        custodyOf(exhibit, sealedRecord),
      );
      expect(await register.read(exhibit.entry, soon())).toEqual(answer);
    }
    expect(await readdir(path.join(server.folder, "content", ".uploads"))).toEqual([]);
  });

  function custodyOf({ entry, key, bytes, sha256 }: SmallExhibit, record: unknown) {
    const me = partner.identity.id;
    const digest = sha256Of(JSON.stringify(record));
    const sizeBytes = bytes.byteLength;
    return [
      ["reserved", me, { reference: entry.reference, totalBytes: sizeBytes }],
      ["received", me, { key, sizeBytes }],
      ["proved", "server", { key, sha256, proof: "whole" }],
      ["collected", me, { collectedAt: "2026-11-22T09:00:00Z", record: digest }],
      ["sealed", me, { record: digest, files: 1 }],
    ];
  }

  it("leaves the same rows as exhibits sent one by one", async () => {
    const [bundled, single] = await smallExhibits(partner, 2);
    if (bundled === undefined || single === undefined) throw new Error("Nothing was reserved.");
    await bundlesFor(partner).sendAll([bundled], soon());
    await storeOf(partner.session).put(single.key, single.bytes, single.sha256, soon());
    await registerOf(partner.session).sealRecord(single.entry, single.record, new Map(), soon());
    const rowsOf = async ({ entry }: SmallExhibit) => {
      const { database } = server.deps;
      const exhibit = await database
        .selectFrom("exhibits")
        .select(["state", "total_bytes", "custody_lines"])
        .where("id", "=", entry.id)
        .execute();
      const files = await database
        .selectFrom("stored_files")
        .select(["key", "proof"])
        .where("exhibit_id", "=", entry.id)
        .orderBy("key")
        .execute();
      const names = files.map(({ key, proof }) => [key.replace(/^.*\/(SML_\d+-)?/, ""), proof]);
      return { exhibit, names };
    };
    expect(await rowsOf(bundled)).toEqual(await rowsOf(single));
  });

  it("gives the very same receipts when it comes again, also at the same time", async () => {
    const exhibits = await smallExhibits(partner, 20);
    const both = [1, 2].map(() => bundlesFor(partner).sendAll(exhibits, soon()));
    const [first, second] = await Promise.all(both);
    expect(codes(first ?? [])).toEqual(exhibits.map(() => "sealed"));
    expect(second).toEqual(first);
    expect(await bundlesFor(partner).sendAll(exhibits, soon())).toEqual(first);
  });

  it("takes a file that was sent by itself before, and content without a byte", async () => {
    const [sent] = await smallExhibits(partner, 1);
    const [empty] = await smallExhibits(partner, 1, { sizeBytes: 0 });
    if (sent === undefined || empty === undefined) throw new Error("Nothing was reserved.");
    await storeOf(partner.session).put(sent.key, sent.bytes, sent.sha256, soon());
    const answers = await bundlesFor(partner).sendAll([sent, empty], soon());
    expect(codes(answers)).toEqual(["sealed", "sealed"]);
    const lines = await registerOf(partner.session).custody(sent.entry, soon());
    expect(checkCustody(lines).events.map(({ verb }) => verb)).toEqual([
      "reserved",
      "received",
      "proved",
      "collected",
      "sealed",
    ]);
  });
});

describe("many reservations", () => {
  const wanted = (sourceId: string, more: object = {}) => ({
    case: "02RES",
    reference: undefined,
    initials: "RES",
    sourceId,
    totalBytes: 10,
    ...more,
  });
  const references = (answers: readonly ({ reference: string } | ExhibitError)[]): string[] =>
    answers.map((one) => (one instanceof ExhibitError ? one.code : one.reference));

  it("are answered in order, each by the rules for one", async () => {
    const bundles = bundlesFor(partner);
    await bundles.reserveAll([wanted("first")], soon());
    // Lies there though the database does not know it.
    const bytes = randomBytes(3);
    await server.deps.content.put("02RES/RES_3/RES_3-0001.mp4", bytes, sha256Of(bytes), soon());
    const again = await bundles.reserveAll(
      [
        wanted("second"),
        wanted("first"),
        wanted("third"),
        wanted("named", { reference: "RES/7" }),
        wanted("fourth"),
        wanted("taken", { reference: "RES/1" }),
        wanted("taken at once", { reference: "RES/8" }),
        wanted("lies there", { reference: "RES/3" }),
        wanted("second"),
        wanted("second", { reference: "RES/9" }),
        wanted("elsewhere", { case: "03RES", initials: undefined }),
      ],
      soon(),
    );
    expect(references(again)).toEqual([
      "RES/2",
      "RES/1",
      "RES/4",
      "RES/7",
      "RES/8",
      "conflict.exists",
      "conflict.exists",
      "conflict.exists",
      "RES/2",
      "conflict.exists",
      "AB/1",
    ]);
    const single = await registerOf(partner.session).reserve(wanted("fifth"), soon());
    expect(single.reference).toBe("RES/9");
  });

  it("come in as far as the quota goes, and charge what was charged for one", async () => {
    const person = await server.enrol("partner", { quotaBytes: 2500 });
    const usedBytes = async (): Promise<number | undefined> =>
      (
        await server.deps.database
          .selectFrom("identities")
          .select("used_bytes")
          .where("id", "=", person.identity.id)
          .executeTakeFirst()
      )?.used_bytes;
    const bundles = bundlesFor(person);
    const answers = await bundles.reserveAll(
      [1000, 2000, 1400, 1000].map((totalBytes, index) => wanted(`q ${index}`, { totalBytes })),
      soon(),
    );
    expect(references(answers)).toEqual([
      expect.any(String),
      "policy.quota",
      expect.any(String),
      "policy.quota",
    ]);
    expect(await usedBytes()).toBe(2400);
    const taken = await bundles.reserveAll(
      [wanted("q 5", { reference: "RES/1", totalBytes: 50 })],
      soon(),
    );
    expect(references(taken)).toEqual(["conflict.exists"]);
    expect(await usedBytes()).toBe(2400);

    const [entry] = answers;
    if (entry === undefined || entry instanceof ExhibitError) throw new Error();
    const exhibitOf = async (sizeBytes: number): Promise<SmallExhibit> => {
      const bytes = randomBytes(sizeBytes);
      const key = `02RES/${entry.reference.replace("/", "_")}/${entry.reference.replace("/", "_")}-0001.mp4`;
      const record = await recordOf(person, entry, "q 0", [{ key, bytes }]);
      return { entry, key, bytes, sha256: sha256Of(bytes), record };
    };
    expect(codes(await bundles.sendAll([await exhibitOf(1101)], soon()))).toEqual(["policy.quota"]);
    expect(codes(await bundles.sendAll([await exhibitOf(1100)], soon()))).toEqual(["sealed"]);
    expect(await usedBytes()).toBe(2500);
  });
});

it("is offered only by a server whose content store can group its writes", async () => {
  const older = await startServer({ deps: { grouped: undefined } });
  try {
    const person = await older.enrol("partner");
    expect(bundlesOf(person.session)).toBeUndefined();
    const answer = await send(person, Buffer.alloc(1024));
    expect(answer.json["code"]).toBe("not-found.route");
  } finally {
    await older.stop();
  }
});
