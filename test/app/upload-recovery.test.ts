import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { randomBytes } from "node:crypto";
import { readdir, rm, utimes, writeFile } from "node:fs/promises";
import path from "node:path";
import { ExhibitError } from "../../src/evidence/errors.ts";
import { makeClient, upload, uploadOf, type TestClient } from "../support/client.ts";
import { soon, startServer } from "../support/server.ts";

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

describe("a reference that a broken-off upload has taken", () => {
  it.each(["a folder", "an exhibit server"])(
    "is used again at %s, as it says, when the file has changed since",
    async (kind) => {
      const server = kind === "a folder" ? undefined : await startServer();
      const machine = (await server?.enrol("partner"))?.machine;
      const client = await makeClient(server?.url, machine);
      const file = await client.write("a.mp4", randomBytes(1000));
      const request = uploadOf([file], { reference: "ABC/1" });
      client.onConnect = ({ store }) => {
        store.fail("put", "before", new ExhibitError("unavailable.no-space", "Full."), 1);
      };
      const first = await upload(client.deps, request, soon());
      expect(first.failed).toMatchObject([{ code: "unavailable.no-space" }]);
      client.onConnect = undefined;
      await utimes(file, new Date(), new Date("2026-01-01"));
      const { failed } = await upload(client.deps, request, soon());
      expect(failed).toMatchObject([{ code: "conflict.exists" }]);
      const sourceId = /--source-id (auto:[0-9a-f]{64})/.exec(failed[0]?.hint ?? "")?.[1] ?? "";
      const done = await upload(client.deps, { ...request, sourceId }, soon());
      expect(done.exhibits).toMatchObject([{ reference: "ABC/1", outcome: "uploaded" }]);
      await client.close();
      await server?.stop();
    },
  );
});
