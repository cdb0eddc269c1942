import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { randomBytes } from "node:crypto";
import { readdir, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { upload } from "../../src/app/upload.ts";
import { makeClient, uploadOf, type TestClient } from "../support/client.ts";
import { soon } from "../support/server.ts";

describe("an exhibit in a folder", () => {
  let client: TestClient;
  let file = "";
  const request = (): Parameters<typeof upload>[1] => uploadOf([file], { reference: "ABC/1" });
  const exhibit = (): string => path.join(client.folder, "store", "01AB1234526", "ABC_1");
  beforeEach(async () => {
    client = await makeClient();
    file = await client.write("a.mp4", randomBytes(1000));
  });
  afterEach(async () => {
    await client.close();
  });

  it("is given its receipt by the same command when a crash came behind its record", async () => {
    const { exhibits } = await upload(client.deps, request(), soon());
    await rm(path.join(exhibit(), "receipt.json"));
    const again = await upload(client.deps, request(), soon());
    expect(again.failed).toEqual([]);
    expect(again.exhibits).toMatchObject([{ outcome: "already-present", bytesSent: 0 }]);
    const [before] = exhibits;
    const { receivedAt } = again.exhibits[0]?.receipt ?? {};
    expect(again.exhibits[0]?.receipt).toEqual({ ...before?.receipt, receivedAt });
    expect(await readdir(exhibit())).toContain("receipt.json");
  });

  it.each([
    ["record.json", "not JSON"],
    ["receipt.json", "not JSON"],
    ["record.json", "{}"],
    ["receipt.json", "{}"],
  ])("whose %s was damaged (%j) is refused in words", async (name, damage) => {
    await upload(client.deps, request(), soon());
    await rm(path.join(exhibit(), name));
    await writeFile(path.join(exhibit(), name), damage);
    const again = await upload(client.deps, request(), soon());
    expect(again.failed).toMatchObject([{ code: "integrity.mismatch" }]);
    expect(again.failed[0]?.message).toContain(name);
  });
});
