import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { execFileSync } from "node:child_process";
import { mkdir, readdir, utimes } from "node:fs/promises";
import path from "node:path";
import type { UploadRequest } from "../../src/app/upload.ts";
import { makeClient, upload, uploadOf, type TestClient } from "../support/client.ts";
import { soon } from "../support/server.ts";

describe("an upload that cannot be meant so", () => {
  let client: TestClient;
  beforeEach(async () => {
    client = await makeClient();
  });
  afterEach(async () => {
    await client.close();
  });

  it.each<[string, string[], Partial<UploadRequest>, RegExp]>([
    ["an empty folder", ["void"], {}, /empty/],
    ["nothing but a pipe", ["pipe"], {}, /pipe/],
    ["a path that is not there", ["nowhere"], {}, /no file or folder/],
    ["one reference for two exhibits", ["a", "b"], { reference: "ABC/1" }, /one only/],
    ["one source id for two exhibits", ["a", "b"], { sourceId: "x" }, /one only/],
    ["one receipt file for two exhibits", ["a", "b"], { receiptFile: "/r" }, /one only/],
    ["two files that look alike", ["a", "twin/a"], {}, /same name/],
    ["two files of one name in one exhibit", ["a", "twin/a"], { oneExhibit: true }, /same name/],
    ["a case that climbs", ["a"], { case: "../../etc" }, /case/],
    ["a reference that is none", ["a"], { reference: "ABC" }, /reference/],
    [
      "a recording that ends before it begins",
      ["a"],
      {
        recorded: { from: "2026-01-02T00:00:00Z", to: "2026-01-01T00:00:00Z", timeZone: "UTC" },
      },
      /before it begins/,
    ],
    ["more than this store can prove", ["a"], { requireProof: "whole" }, /proves/],
  ])("is refused before anything is sent: %s", async (_, names, more, message) => {
    const evidence = path.join(client.folder, "evidence");
    await mkdir(path.join(evidence, "void"), { recursive: true });
    execFileSync("mkfifo", [path.join(evidence, "pipe")]);
    const time = new Date("2026-01-01");
    for (const name of ["a", "b", "twin/a"]) {
      const file = await client.write(name, "same");
      await utimes(file, time, time);
    }
    const request = uploadOf(
      names.map((name) => path.join(evidence, name)),
      more,
    );
    await expect(upload(client.deps, request, soon())).rejects.toThrow(message);
    expect(client.deps.journal.openJobs()).toEqual([]);
    expect(
      (await readdir(path.join(client.folder, "store"))).filter((name) => !name.startsWith(".")),
    ).toEqual([]);
  });
});
