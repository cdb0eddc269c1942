import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { mkdir, mkdtemp, readFile, readdir, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { flushTogether } from "../../src/platform/flush-together.ts";
import { receiptFolder } from "../../src/platform/receipt-folder.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "exhibit-receipts-"));
});
afterEach(async () => {
  await rm(folder, { recursive: true });
});

describe("the folder of receipts", () => {
  const receipt = { payload: "p", signatures: [{ protected: "h", signature: "s" }] };
  const exhibit = { case: "CAD 12/26", reference: "ABC/1" };

  it("keeps a receipt under its exhibit, for this user only, and again without complaint", async () => {
    const receipts = receiptFolder(path.join(folder, "receipts"), flushTogether());
    const file = await receipts.save(exhibit, receipt, undefined);
    expect(await receipts.save(exhibit, receipt, undefined)).toBe(file);
    expect(path.relative(folder, file)).toBe("receipts/CAD~2012_26/ABC_1.receipt.json");
    expect(JSON.parse(await readFile(file, "utf8"))).toEqual(receipt);
    expect((await stat(file)).mode & 0o777).toBe(0o600);
  });

  it("keeps the receipt of another store that gave the same reference, and names the new one apart", async () => {
    const receipts = receiptFolder(path.join(folder, "receipts"), flushTogether());
    const other = { ...receipt, payload: "q" };
    const first = await receipts.save(exhibit, receipt, undefined);
    const second = await receipts.save(exhibit, other, undefined);
    expect(await receipts.save(exhibit, other, undefined)).toBe(second);
    expect(path.basename(second)).toMatch(/^ABC_1\.[0-9a-f]{12}\.receipt\.json$/);
    expect(JSON.parse(await readFile(first, "utf8"))).toEqual(receipt);
    expect(JSON.parse(await readFile(second, "utf8"))).toEqual(other);
  });

  it("writes to a chosen file, but over nothing else", async () => {
    const receipts = receiptFolder(folder, flushTogether());
    const chosen = path.join(folder, "mine.json");
    await receipts.save(exhibit, receipt, chosen);
    await receipts.save(exhibit, receipt, chosen);
    await writeFile(chosen, "a letter");
    await expect(receipts.save(exhibit, receipt, chosen)).rejects.toMatchObject({
      code: "conflict.exists",
    });
    await expect(
      receipts.save(exhibit, receipt, path.join(chosen, "below", "a-file")),
    ).rejects.toMatchObject({ code: "usage.invalid" });
    expect(await readFile(chosen, "utf8")).toBe("a letter");
  });

  it("keeps many at once as it keeps one, and tells which it could not keep", async () => {
    const receipts = receiptFolder(path.join(folder, "receipts"), flushTogether());
    const other = { ...receipt, payload: "q" };
    const at = (reference: string) => ({ case: "CAD 12/26", reference });
    const first = await receipts.save(at("ABC/1"), other, undefined);
    await mkdir(path.join(folder, "receipts", "CAD~2012_26", "ABC_2.receipt.json"));
    const [renamed, refused, kept] = await receipts.saveAll(
      ["ABC/1", "ABC/2", "ABC/3"].map((reference) => ({ exhibit: at(reference), receipt })),
    );
    expect(refused).toMatchObject({ code: "usage.invalid" });
    for (const file of [renamed, kept]) {
      expect(JSON.parse(await readFile(String(file), "utf8"))).toEqual(receipt);
      expect((await stat(String(file))).mode & 0o777).toBe(0o600);
    }
    expect(renamed).not.toBe(first);
    expect(JSON.parse(await readFile(first, "utf8"))).toEqual(other);
    expect(await receipts.saveAll([{ exhibit: at("ABC/3"), receipt }])).toEqual([kept]);
    expect((await readdir(path.dirname(first))).filter((name) => name.endsWith(".tmp"))).toEqual(
      [],
    );
  });
});
