import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { expect, it } from "@jest/globals";
import { z } from "zod";
import { KeptChecks } from "../../src/platform/kept-checks.ts";

const kept = (found: unknown): string =>
  JSON.stringify({ schema: "exhibit.store-checks/1", stores: { "s3://a": found } });

it.each([
  ["what was kept", kept({ locks: true }), { locks: true }],
  ["nothing where other things were looked at", kept({ locks: "yes" }), undefined],
  ["nothing where there is more than is known", kept({ locks: true, more: 1 }), undefined],
  ["nothing in a damaged file", "{", undefined],
  ["nothing in a newer one", kept({ locks: true }).replace("checks/1", "checks/2"), undefined],
  ["nothing without a file", undefined, undefined],
])("checks of stores: %s", async (_, text, found) => {
  const folder = await mkdtemp(path.join(tmpdir(), "exhibit-checks-"));
  const file = path.join(folder, "config", "store-checks.json");
  const checks = new KeptChecks(file, z.strictObject({ locks: z.boolean() }));
  await checks.keep("s3://b", { locks: false });
  if (text === undefined) await rm(file);
  else await writeFile(file, text);
  expect(await checks.find("s3://a")).toEqual(found);
  await Promise.all(["s3://c", "s3://d"].map((url) => checks.keep(url, { locks: true })));
  expect(await Promise.all(["s3://a", "s3://c", "s3://d"].map((url) => checks.find(url)))).toEqual([
    found,
    { locks: true },
    { locks: true },
  ]);
  await rm(folder, { recursive: true });
});
