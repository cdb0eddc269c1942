import { randomBytes } from "node:crypto";
import { mkdir, mkdtemp, readFile, readdir, realpath, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { checkCustody } from "../../src/evidence/custody.ts";
import { sha256Of } from "../../src/evidence/digest.ts";
import { ExhibitError } from "../../src/evidence/errors.ts";
import type { Connection } from "../../src/evidence/ports/connection.ts";
import type { ExhibitEntry } from "../../src/evidence/ports/register.ts";
import { recordType, type ExhibitRecord } from "../../src/evidence/record.ts";
import { seal, type Sealed } from "../../src/evidence/seal.ts";
import { keyedRegister } from "../../src/stores/keyed-register.ts";
import { openConnection } from "../../src/stores/registry.ts";
import { countedStore } from "../support/counted.ts";
import { keyIn } from "../support/sending.ts";
import { newMachine, soon, systemClock } from "../support/server.ts";

const bytes = randomBytes(1000);

let root: string;
let machine: ReturnType<typeof newMachine>;
let connection: Connection;
beforeEach(async () => {
  root = await realpath(await mkdtemp(path.join(tmpdir(), "exhibit keyed-")));
  machine = newMachine();
  connection = await openAs(machine);
});
afterEach(() => rm(root, { recursive: true, force: true }));

function openAs(who: typeof machine): Promise<Connection> {
  return openConnection({ name: "disk", url: pathToFileURL(root).href }, who, soon());
}

function code(value: string): unknown {
  return expect.objectContaining({ code: value });
}

function reserve(
  wanted: { reference?: string; initials?: string; sourceId?: string },
  at = connection,
): Promise<ExhibitEntry> {
  return at.register.reserve(
    {
      case: "01AB1234526",
      reference: wanted.reference,
      initials: wanted.initials,
      sourceId: wanted.sourceId ?? "source",
      totalBytes: bytes.length,
    },
    soon(),
  );
}

async function filled(): Promise<{ entry: ExhibitEntry; record: ExhibitRecord }> {
  const entry = await reserve({ initials: "ABC" });
  await connection.store.put(keyIn(entry), bytes, sha256Of(bytes), soon());
  const { publicJwk, thumbprint } = connection.signer;
  const record: ExhibitRecord = {
    schema: recordType,
    id: entry.id,
    case: entry.case,
    reference: entry.reference,
    sourceId: "source",
    collectedAt: "2026-11-22T09:00:00Z",
    files: [
      {
        path: "footage.mp4",
        key: keyIn(entry),
        sizeBytes: bytes.length,
        modifiedAt: "2026-11-21T22:00:00Z",
        digest: { sha256: sha256Of(bytes) },
        mediaType: "video/mp4",
      },
    ],
    uploader: { key: publicJwk, thumbprint },
    tool: { name: "exhibit", version: "0.0.0-test" },
  };
  return { entry, record };
}

async function sealWith(entry: ExhibitEntry, record: ExhibitRecord) {
  const proofs = new Map(record.files.map((file) => [file.key, { proof: "read-back" } as const]));
  const sealed = await seal(record, recordType, connection.signer);
  return connection.register.sealRecord(entry, sealed, proofs, soon());
}

describe("a register in a folder", () => {
  it("allots references under initials without a server, each to one source, however many ask", async () => {
    const other = await openAs(newMachine());
    const all = await Promise.all([
      reserve({ initials: "ABC", sourceId: "1" }),
      reserve({ initials: "ABC", sourceId: "2" }, other),
      reserve({ initials: "ABC", sourceId: "3" }),
      reserve({ initials: "XY", sourceId: "4" }),
    ]);
    expect(all.map((entry) => entry.reference).sort()).toEqual(["ABC/1", "ABC/2", "ABC/3", "XY/1"]);
    expect(await reserve({ sourceId: "1" })).toEqual(all[0]);
    // The same source id on another machine is another source.
    expect((await reserve({ initials: "ABC", sourceId: "1" }, other)).reference).toBe("ABC/4");
  });

  it("refuses a reference that is taken, a second one for a source, and none at all", async () => {
    await reserve({ reference: "ABC/7", sourceId: "one" });
    await expect(reserve({ reference: "ABC/7", sourceId: "two" })).rejects.toEqual(
      code("conflict.exists"),
    );
    await expect(reserve({ reference: "ABC/8", sourceId: "one" })).rejects.toEqual(
      code("conflict.exists"),
    );
    await expect(reserve({ sourceId: "two" })).rejects.toEqual(code("usage.missing"));
  });

  it("lists a case once for many exhibits, and notices what others reserved since", async () => {
    const store = countedStore(connection.store);
    let listed = 0;
    const list = store.list.bind(store);
    store.list = (...about) => {
      listed += 1;
      return list(...about);
    };
    const register = keyedRegister(
      store,
      { signer: connection.signer, trusted: new Set() },
      systemClock,
    );
    const counting = { ...connection, register };
    for (const sourceId of ["1", "2", "3"]) await reserve({ initials: "ABC", sourceId }, counting);
    expect(listed).toBe(1);
    const other = await openAs(newMachine());
    expect((await reserve({ initials: "ABC", sourceId: "4" }, other)).reference).toBe("ABC/4");
    const theirs = await reserve({ initials: "ABC", sourceId: "5" });
    // Another process of this machine had it first: the same upload, not a second one.
    expect(await reserve({ initials: "ABC", sourceId: "5" }, counting)).toEqual(theirs);
    expect((await reserve({ initials: "ABC", sourceId: "6" }, counting)).reference).toBe("ABC/6");
    expect(listed).toBe(2);
  });

  it("does not reserve twice when the answer to a reservation is lost", async () => {
    const store = countedStore(connection.store);
    const counting = {
      ...connection,
      register: keyedRegister(
        store,
        { signer: connection.signer, trusted: new Set() },
        systemClock,
      ),
    };
    await reserve({ initials: "ABC", sourceId: "1" }, counting);
    store.fail("put", "after", new ExhibitError("unavailable.store", "No answer."));
    const again = { initials: "ABC", sourceId: "2" };
    await expect(reserve(again, counting)).rejects.toEqual(code("unavailable.store"));
    expect((await reserve(again, counting)).reference).toBe("ABC/2");
    expect((await reserve({ initials: "ABC", sourceId: "3" }, counting)).reference).toBe("ABC/3");
  });

  it("seals with a receipt of this machine's key, which stays the same", async () => {
    const { entry, record } = await filled();
    const sealed = await sealWith(entry, record);
    expect(sealed.receipt.issuer).toMatchObject({
      kind: "machine",
      thumbprint: connection.signer.thumbprint,
    });
    expect(sealed.receipt.files[0]?.proof).toBe("read-back");
    const again = await openAs(machine);
    expect(again.signer.thumbprint).toBe(connection.signer.thumbprint);
    const [found] = await again.register.find(
      { kind: "reference", case: undefined, reference: "ABC/1" },
      soon(),
    );
    expect(found).toEqual({ ...entry, state: "sealed" });
    expect(await again.register.read(entry, soon())).toEqual(sealed);
    const lines = await again.register.custody(entry, soon());
    expect(checkCustody(lines).head).toEqual(sealed.receipt.custody);
    expect(await sealWith(entry, record)).toEqual(sealed);
    await expect(sealWith(entry, { ...record, title: "Other" })).rejects.toEqual(
      code("conflict.sealed"),
    );
    const folder = path.join(root, "01AB1234526", "ABC_1");
    expect(sha256Of(await readFile(path.join(folder, "record.json")))).toBe(
      sealed.receipt.record.sha256,
    );
    expect((await readdir(folder)).sort()).toEqual([
      "ABC_1-0001.mp4",
      "custody.jsonl",
      "receipt.json",
      "record.json",
      "reservation.json",
    ]);
  });

  it.each(["record.json", "receipt.json"])(
    "goes on after it was stopped before %s, even with a record made anew",
    async (name) => {
      const { entry, record } = await filled();
      const file = path.join(root, "01AB1234526", "ABC_1", name);
      await mkdir(file);
      await expect(sealWith(entry, record)).rejects.toEqual(code("policy.unsupported"));
      await rm(file, { recursive: true });
      const anew =
        name === "record.json" ? { ...record, collectedAt: "2026-11-22T10:00:00Z" } : record;
      const sealed = await sealWith(entry, anew);
      expect(sealed.record).toEqual(anew);
      expect(checkCustody(await connection.register.custody(entry, soon())).head).toEqual(
        sealed.receipt.custody,
      );
    },
  );

  it("refuses a record that the content does not bear out", async () => {
    const { entry, record } = await filled();
    const [file] = record.files;
    if (file === undefined) throw new Error("no file");
    const wrong: ExhibitRecord[] = [
      { ...record, sourceId: "other" },
      { ...record, files: [{ ...file, sizeBytes: 999 }] },
      { ...record, files: [file, { ...file, key: keyIn(entry, 2) }] },
    ];
    for (const one of wrong) {
      await expect(sealWith(entry, one)).rejects.toEqual(code("integrity.mismatch"));
    }
    await connection.store.put(keyIn(entry, 2), bytes, sha256Of(bytes), soon());
    await expect(sealWith(entry, record)).rejects.toEqual(code("integrity.mismatch"));
  });

  it("reads what a machine has sealed whose key is trusted, and only what that key has signed", async () => {
    const { entry, record } = await filled();
    await sealWith(entry, record);
    const trusted = new Set([connection.signer.thumbprint]);
    const other = await openAs({ ...newMachine(), trustedKeys: () => Promise.resolve(trusted) });
    expect((await other.register.read(entry, soon())).record).toEqual(record);
    const folder = path.join(root, "01AB1234526", "ABC_1");
    const [text, forger] = [await readFile(path.join(folder, "record.json"), "utf8"), newMachine()];
    const sealed = JSON.parse(text) as Sealed;
    const key = (await openAs(forger)).signer;
    const forged = { ...record, uploader: { key: key.publicJwk, thumbprint: key.thumbprint } };
    await rm(path.join(folder, "record.json"));
    await writeFile(
      path.join(folder, "record.json"),
      JSON.stringify({ ...sealed, ...(await seal(forged, recordType, key)) }),
    );
    await expect(other.register.read(entry, soon())).rejects.toEqual(code("integrity.mismatch"));
  });

  it("refuses documents that were changed or signed by another machine", async () => {
    const { entry, record } = await filled();
    await sealWith(entry, record);
    const other = await openAs(newMachine());
    const refused = code("integrity.signature");
    await expect(other.register.read(entry, soon())).rejects.toEqual(refused);
    const folder = path.join(root, "01AB1234526", "ABC_1");
    const text = await readFile(path.join(folder, "record.json"), "utf8");
    await rm(path.join(folder, "record.json"));
    await writeFile(path.join(folder, "record.json"), text.replace('"payload":"e', '"payload":"f'));
    await expect(connection.register.read(entry, soon())).rejects.toEqual(
      code("integrity.mismatch"),
    );
  });
});

describe("a store's address", () => {
  it.each([
    "file:evidence",
    "file://host/share/evidence",
    "file:./evidence",
    "evidence",
    "/mnt/evidence",
    "ftp://example.org/x",
    "swift:abc",
  ])("is refused as %s", async (url) => {
    await expect(openConnection({ name: "x", url }, machine, soon())).rejects.toEqual(
      code("usage.invalid"),
    );
  });
});
