import { randomBytes } from "node:crypto";
import { mkdir, readFile, readdir, rm } from "node:fs/promises";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { checkCustody } from "../../../src/evidence/custody.ts";
import { sha256Of } from "../../../src/evidence/digest.ts";
import type { ExhibitEntry } from "../../../src/evidence/ports/register.ts";
import type { ExhibitRecord } from "../../../src/evidence/record.ts";
import { newPrivateJwk, signingKey } from "../../../src/evidence/seal.ts";
import { registerOf } from "../../../src/stores/server/register.ts";
import { storeOf } from "../../../src/stores/server/store.ts";
import { keyIn, raw, recordOf, reserved } from "../../support/sending.ts";
import { soon, startServer, type Person, type TestServer } from "../../support/server.ts";

const proofs = new Map();
const bytes = randomBytes(5000);

let server: TestServer;
let partner: Person;
let other: Person;
let officer: Person;
beforeAll(async () => {
  server = await startServer();
  partner = await server.enrol("partner", { organisation: "Northern Bus Depot" });
  other = await server.enrol("partner", { organisation: "Acme" });
  officer = await server.enrol("officer", { organisation: "警察" });
});
afterAll(() => server.stop());

function code(value: string): unknown {
  return expect.objectContaining({ code: value });
}

/** An exhibit with one file that was proved, ready to be sealed. */
async function filled(
  sourceId: string,
  person = partner,
): Promise<{ entry: ExhibitEntry; key: string }> {
  const entry = await reserved(person, { case: "SEALING", sourceId });
  const key = keyIn(entry);
  await storeOf(person.session).put(key, bytes, sha256Of(bytes), soon());
  return { entry, key };
}

function seal(entry: ExhibitEntry, record: Awaited<ReturnType<typeof recordOf>>, person = partner) {
  return registerOf(person.session).sealRecord(entry, record, proofs, soon());
}

describe("a reference", () => {
  it("is allotted under the organisation's initials, one after the other, a case at a time", async () => {
    const references = [];
    for (const [person, caseRef] of [
      [partner, "CASE 1"],
      [partner, "CASE 1"],
      [partner, "CASE 2"],
      [other, "CASE 1"],
      [officer, "CASE 1"],
    ] as const) {
      references.push((await reserved(person, { case: caseRef })).reference);
    }
    expect(references).toEqual(["NBD/1", "NBD/2", "NBD/1", "ACM/1", "EX/1"]);
  });

  it("goes to one exhibit however many ask at once, and to one source once", async () => {
    const many = await Promise.all(
      Array.from({ length: 10 }, (_, index) =>
        reserved(partner, { case: "MANY", sourceId: `many ${index % 5}` }),
      ),
    );
    expect(new Set(many.map((entry) => entry.id)).size).toBe(5);
    expect([...new Set(many.map((entry) => entry.reference))].sort()).toEqual([
      "NBD/1",
      "NBD/2",
      "NBD/3",
      "NBD/4",
      "NBD/5",
    ]);
  });

  it("that is wanted and taken is refused, and a source keeps the one it has", async () => {
    const first = await reserved(partner, { case: "TAKEN", reference: "ABC/7", sourceId: "one" });
    await expect(reserved(other, { case: "TAKEN", reference: "ABC/7" })).rejects.toEqual(
      code("conflict.exists"),
    );
    await expect(
      reserved(partner, { case: "TAKEN", reference: "ABC/8", sourceId: "one" }),
    ).rejects.toEqual(code("conflict.exists"));
    expect(await reserved(partner, { case: "TAKEN", sourceId: "one" })).toEqual(first);
    // The same source id at another organisation is another source.
    expect((await reserved(other, { case: "TAKEN", sourceId: "one" })).id).not.toBe(first.id);
  });
});

describe("sealing", () => {
  it("gives a receipt under the server's key, and the documents lie in the store as they were signed", async () => {
    const { entry, key } = await filled("whole");
    const record = await recordOf(partner, entry, "whole", [{ key, bytes }]);
    const sealed = await seal(entry, record);
    expect(sealed.state).toBe("sealed");
    expect(sealed.receipt.files).toEqual([
      { key, sizeBytes: 5000, digest: { sha256: sha256Of(bytes) }, proof: "whole" },
    ]);
    const folder = path.join(server.folder, "content", ...key.split("/").slice(0, 2));
    const text = await readFile(path.join(folder, "record.json"), "utf8");
    expect(sha256Of(text)).toBe(sealed.receipt.record.sha256);
    expect(JSON.parse(await readFile(path.join(folder, "receipt.json"), "utf8"))).toEqual(
      sealed.sealedReceipt,
    );
    const lines = await registerOf(partner.session).custody(entry, soon());
    const { events, head } = checkCustody(lines);
    expect(events.map((event) => event.verb)).toEqual([
      "reserved",
      "received",
      "proved",
      "collected",
      "sealed",
    ]);
    expect(sealed.receipt.custody).toEqual(head);
    expect(await readFile(path.join(folder, "custody.jsonl"), "utf8")).toBe(
      `${lines.join("\n")}\n`,
    );
    // Asked again after a lost answer, it is the very same receipt; another record is refused.
    expect(await seal(entry, record)).toEqual(sealed);
    const another = await recordOf(partner, entry, "whole", [{ key, bytes }], { title: "Other" });
    await expect(seal(entry, another)).rejects.toEqual(code("conflict.sealed"));
    const late = keyIn(entry, 2);
    await expect(
      storeOf(partner.session).put(late, bytes, sha256Of(bytes), soon()),
    ).rejects.toEqual(code("conflict.sealed"));
  });

  const wrong: [string, Partial<ExhibitRecord>, string][] = [
    ["another exhibit's id", { id: `x${"0".repeat(26)}` }, "integrity.mismatch"],
    ["another case", { case: "ANOTHER" }, "integrity.mismatch"],
    ["another reference", { reference: "ABC/99" }, "integrity.mismatch"],
    ["another source id", { sourceId: "other" }, "integrity.mismatch"],
    ["a field nobody knows", { surprise: 1 }, "usage.invalid"],
  ];
  it.each(wrong)("refuses a record with %s", async (_, changes, expected) => {
    const { entry, key } = await filled("wrong claims");
    const record = await recordOf(partner, entry, "wrong claims", [{ key, bytes }], changes);
    await expect(seal(entry, record)).rejects.toEqual(code(expected));
    expect(
      (await registerOf(partner.session).find({ kind: "id", id: entry.id }, soon()))[0]?.state,
    ).toBe("open");
  });

  it("refuses a record that says less, more or other than what was proved", async () => {
    const { entry, key } = await filled("wrong files");
    await storeOf(partner.session).put(keyIn(entry, 2), bytes, sha256Of(bytes), soon());
    const [first, second, third] = [key, keyIn(entry, 2), keyIn(entry, 3)];
    for (const files of [
      [{ key: first, bytes }],
      [
        { key: first, bytes },
        { key: second, bytes },
        { key: third, bytes },
      ],
      [
        { key: first, bytes },
        { key: second, bytes: randomBytes(5000) },
      ],
      [
        { key: first, bytes },
        { key: second, bytes: bytes.subarray(1) },
      ],
      [
        { key: first, bytes },
        { key: first, bytes },
      ],
    ]) {
      const record = await recordOf(partner, entry, "wrong files", files);
      await expect(seal(entry, record)).rejects.toEqual(code("integrity.mismatch"));
    }
  });

  it("refuses a record that another key signed, and another's exhibit altogether", async () => {
    const { entry, key } = await filled("signatures");
    const files = [{ key, bytes }];
    const forger = await signingKey(await newPrivateJwk());
    const forged = await recordOf(
      { ...partner, session: { ...partner.session, signer: forger } },
      entry,
      "signatures",
      files,
    );
    await expect(seal(entry, forged)).rejects.toEqual(code("integrity.signature"));
    for (const person of [other, officer]) {
      const record = await recordOf(person, entry, "signatures", files);
      await expect(seal(entry, record, person)).rejects.toEqual(code("not-found.exhibit"));
    }
  });

  it.each(["custody.jsonl", "record.json", "receipt.json"])(
    "goes on where it was stopped before %s, with the same receipt",
    async (name) => {
      const { entry, key } = await filled(`stopped ${name}`);
      const record = await recordOf(partner, entry, `stopped ${name}`, [{ key, bytes }]);
      const file = path.join(server.folder, "content", ...key.split("/").slice(0, 2), name);
      // A folder in the document's place: the disk refuses, whoever asks.
      await mkdir(file);
      const answer = await raw(partner, {
        method: "PUT",
        path: `/v1/exhibits/${entry.id}/record`,
        body: { record },
      });
      expect(answer.status).not.toBe(200);
      expect((await reservedAgain(entry)).status).not.toBe(200);
      await rm(file, { recursive: true });
      const sealed = await seal(entry, record);
      expect(await registerOf(partner.session).read(entry, soon())).toEqual(sealed);
      const lines = await registerOf(partner.session).custody(entry, soon());
      expect(checkCustody(lines).head).toEqual(sealed.receipt.custody);
      expect((await readdir(path.dirname(file))).sort()).toEqual(
        [path.basename(key), "custody.jsonl", "receipt.json", "record.json"].sort(),
      );

      function reservedAgain(one: ExhibitEntry) {
        return raw(partner, {
          method: "POST",
          path: "/v1/exhibits",
          body: { case: one.case, sourceId: `stopped ${name}`, totalBytes: 1 },
        });
      }
    },
  );
});

describe("who sees what", () => {
  it("partners list and read their own, officers all, and strangers' things look like nothing", async () => {
    const { entry, key } = await filled("seen");
    await seal(entry, await recordOf(partner, entry, "seen", [{ key, bytes }]));
    const idsOf = async (person: Person): Promise<string[]> => {
      const ids = [];
      for await (const one of registerOf(person.session).list("SEALING", soon())) ids.push(one.id);
      return ids;
    };
    expect(await idsOf(partner)).toContain(entry.id);
    expect(await idsOf(officer)).toContain(entry.id);
    expect(await idsOf(other)).toEqual([]);
    const address = { kind: "reference", case: undefined, reference: entry.reference } as const;
    expect((await registerOf(officer.session).find(address, soon())).length).toBeGreaterThan(0);
    expect(await registerOf(other.session).find({ kind: "id", id: entry.id }, soon())).toEqual([]);
    for (const call of ["read", "custody"] as const) {
      await expect(registerOf(other.session)[call](entry, soon())).rejects.toEqual(
        code("not-found.exhibit"),
      );
    }
    expect((await registerOf(officer.session).read(entry, soon())).record.sourceId).toBe("seen");
  });

  it("each reading of content is one line of the custody log, by whom and of what, wherever it starts", async () => {
    const { entry, key } = await filled("read");
    for (const range of ["bytes=9-", "bytes=0-8", "bytes=0-"]) {
      await raw(officer, { method: "GET", path: `/v1/content/${key}`, headers: { range } });
    }
    const { events } = checkCustody(await registerOf(officer.session).custody(entry, soon()));
    expect(events.filter((event) => event.verb === "consulted")).toEqual([
      expect.objectContaining({ actor: officer.identity.id, facts: { key } }),
    ]);
  });

  it("pages come in order of case and reference, each exhibit once", async () => {
    for (const caseRef of ["PAGES B", "PAGES A", "PAGES A"]) {
      await reserved(partner, { case: caseRef });
    }
    const seen: string[] = [];
    let after = "";
    do {
      const { json } = await raw(partner, {
        method: "GET",
        path: `/v1/exhibits?limit=2${after === "" ? "" : `&after=${after}`}`,
      });
      const page = json["exhibits"] as ExhibitEntry[];
      seen.push(...page.map((one) => `${one.case}\n${one.reference}`));
      after = (json["next"] as string | undefined) ?? "";
    } while (after !== "");
    expect(seen).toEqual([...new Set(seen)].sort());
    expect(seen).toEqual(
      expect.arrayContaining(["PAGES A\nNBD/1", "PAGES A\nNBD/2", "PAGES B\nNBD/1"]),
    );
    const answer = await raw(partner, { method: "GET", path: "/v1/exhibits?after=nonsense" });
    expect(answer.status).toBe(400);
  });
});
