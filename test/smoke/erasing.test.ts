import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { access, readdir, readFile } from "node:fs/promises";
import path from "node:path";
import { setTimeout as aMoment } from "node:timers/promises";
import { smoke } from "../../src/app/smoke.ts";
import { smokeCase } from "../../src/evidence/case.ts";
import { sha256Of } from "../../src/evidence/digest.ts";
import { requireSmokeKey } from "../../src/evidence/smoke.ts";
import { directorySmokeEraser } from "../../src/stores/directory/erase-smoke.ts";
import "../../src/stores/directory/store.ts";
import "../../src/stores/paced-store.ts";
import "../../src/stores/keyed-smoke.ts";
import "../../src/stores/machine-key.ts";
import { makeClient, upload, uploadOf } from "../support/client.ts";
import { MovingClock } from "../support/moving-clock.ts";
import { newMachine, soon } from "../support/server.ts";
import { idsIn, outcomes, request, roomOf, smokeRig, type SmokeRig } from "./rig.ts";

let rig: SmokeRig;

beforeAll(async () => {
  rig = await smokeRig();
});
afterAll(() => rig.stop());

describe("erasing", () => {
  it.each([
    [
      "the smokes' case itself",
      {
        method: "POST",
        path: "/v1/exhibits",
        body: { case: smokeCase, sourceId: "s", totalBytes: 1 },
      },
      "usage.invalid",
    ],
    [
      "a list of the smokes' case",
      { method: "GET", path: "/v1/exhibits", query: { case: smokeCase } },
      "usage.invalid",
    ],
    [
      "a smoke that is too large",
      { method: "POST", path: "/v1/smoke", body: { totalBytes: 1e9 } },
      "usage.invalid",
    ],
    [
      "something that is no id",
      { method: "DELETE", path: "/v1/smoke/..%2F01AB1234526" },
      "not-found.exhibit",
    ],
    [
      "an exhibit that is not there",
      { method: "DELETE", path: `/v1/smoke/x${"0".repeat(26)}` },
      "not-found.exhibit",
    ],
  ] as const)("is not had by %s", async (_what, call, code) => {
    await expect(rig.officer.session.call(call, soon())).rejects.toMatchObject({ code });
    await rig.requireEvidence();
  });

  it("refuses evidence, whoever asks, and says nothing of it to a partner", async () => {
    const admin = await rig.server.enrol("admin");
    const partner = await rig.server.enrol("partner");
    const call = { method: "DELETE", path: `/v1/smoke/${rig.evidence.id}` } as const;
    for (const { session } of [rig.officer, admin]) {
      await expect(session.call(call, soon())).rejects.toMatchObject({
        code: "policy.not-permitted",
      });
    }
    await expect(partner.session.call(call, soon())).rejects.toMatchObject({
      code: "not-found.exhibit",
    });
    await rig.requireEvidence();
  });

  it("refuses evidence in the very tables, where a row claims that it was a smoke", async () => {
    const { database } = rig.server.deps;
    const row = { started_by: rig.officer.identity.id, started_at: "2020-01-01T00:00:00.000Z" };
    await database
      .insertInto("smokes")
      .values({ ...row, exhibit_id: rig.evidence.id, erased_at: null, erased_by: null })
      .execute();
    const call = { method: "DELETE", path: `/v1/smoke/${rig.evidence.id}` } as const;
    await expect(rig.officer.session.call(call, soon())).rejects.toMatchObject({
      code: "policy.not-permitted",
    });
    await rig.server.restart();
    await rig.requireEvidence();
    await rig.server.deps.database
      .deleteFrom("smokes")
      .where("exhibit_id", "=", rig.evidence.id)
      .execute();
  });

  it("is the owner's and an admin's, and succeeds when it is repeated", async () => {
    const other = await rig.server.enrol("officer");
    const entry = await rig.begun();
    const call = { method: "DELETE", path: `/v1/smoke/${entry.id}` } as const;
    await expect(other.session.call(call, soon())).rejects.toMatchObject({
      code: "not-found.exhibit",
    });
    for (let times = 0; times < 2; times += 1) {
      expect((await rig.officer.session.call(call, soon())).status).toBe(204);
    }
    expect(await rig.left()).toEqual({});
  });

  it("gives back once what a smoke was charged, however many erase it at one moment", async () => {
    const used = async (): Promise<number> => {
      const { used_bytes } = await rig.server.deps.database
        .selectFrom("identities")
        .select("used_bytes")
        .where("id", "=", rig.officer.identity.id)
        .executeTakeFirstOrThrow();
      return used_bytes;
    };
    const before = await used();
    const entry = await rig.begun();
    const segment = entry.reference.replaceAll("/", "_");
    for (let n = 0; n < 40; n += 1) {
      const bytes = Buffer.from(`${n}`);
      const key = `~7ESMOKE/${segment}/${segment}-${String(n + 1).padStart(4, "0")}.png`;
      await rig.server.deps.content.put(key, bytes, sha256Of(bytes), soon());
    }
    const call = { method: "DELETE", path: `/v1/smoke/${entry.id}` } as const;
    await Promise.allSettled(
      Array.from({ length: 8 }, () => rig.officer.session.call(call, soon())),
    );
    expect(await used()).toBe(before);
    expect(await rig.left()).toEqual({});
  });

  it.each([
    "01AB1234526/ABC_1/ABC_1-0001.mp4",
    "~7ESMOKE/../01AB1234526/ABC_1/ABC_1-0001.mp4",
    "~7ESMOKE/SMOKE_1_1/../../01AB1234526/record.json",
    "~7ESMOKE//record.json",
    "~7ESMOKE/SMOKE_1_1/",
    "~7ESMOKE/",
    "~7ESMOKE",
    "~7esmoke/SMOKE_1_1/record.json",
    "/~7ESMOKE/SMOKE_1_1/record.json",
    "~7ESMOKE\\SMOKE_1_1\\record.json",
    "~7ESMOKE/SMOKE_1_1/record.json\0",
    "~7ESMOKE/SMOKE_1_1/record.json\n",
    "~7ESMOKEX/SMOKE_1_1/record.json",
    "~SMOKE/SMOKE_1_1/record.json",
    "X~7ESMOKE/SMOKE_1_1/record.json",
    "",
  ])("never takes the key %j", async (key) => {
    expect(() => {
      requireSmokeKey(key);
    }).toThrow(/never is/);
    const eraser = directorySmokeEraser(path.join(rig.server.folder, "content"));
    await expect(eraser.erase(key, soon())).rejects.toMatchObject({ code: "policy.not-permitted" });
    const file = path.join(rig.server.folder, "content", rig.evidence.key);
    expect((await readFile(file)).toString()).toBe("evidence");
  });

  it("takes what died a day ago, and content that nobody knows, and nothing else", async () => {
    const old = await rig.begun();
    await rig.server.deps.database
      .updateTable("smokes")
      .set({ started_at: new Date(Date.now() - 25 * 3_600_000).toISOString() } as object)
      .where("exhibit_id", "=", old.id)
      .execute();
    const young = await rig.begun();
    const orphan = "~7ESMOKE/SMOKE_9_9/SMOKE_9_9-0001.png";
    const bytes = Buffer.from("orphan");
    await rig.server.deps.content.put(orphan, bytes, sha256Of(bytes), soon());
    await rig.server.restart();
    // Swept in the background, as soon as the server has started.
    while ((await rig.server.deps.content.stat(orphan, soon())) !== undefined) await aMoment(20);
    const rows = await rig.server.deps.database
      .selectFrom("exhibits")
      .select("id")
      .where("case_ref", "=", smokeCase)
      .execute();
    expect(rows.map(({ id }) => id)).toEqual([young.id]);
    expect(old.reference).not.toBe(young.reference);
    await rig.officer.session.call({ method: "DELETE", path: `/v1/smoke/${young.id}` }, soon());
    await rig.requireEvidence();
    expect(await rig.left()).toEqual({});
  });
});

describe("a smoke of a folder", () => {
  it("uploads, verifies and erases, and takes this machine's leftovers along, no other's", async () => {
    const later = new MovingClock();
    const machine = await makeClient(undefined, newMachine(later));
    const folder = path.join(machine.folder, "store");
    try {
      const file = await machine.write("a.txt", "evidence");
      const [kept] = (await upload(machine.deps, uploadOf([file]), soon())).exhibits;
      const smoked = await smoke(machine.deps, request, soon());
      expect(smoked.failure).toBeUndefined();
      expect(outcomes(smoked)).toMatchObject({ verify: "ok", open: "left-out", erase: "ok" });
      expect((await readdir(folder)).sort()).toEqual([".uploads", "01AB1234526"]);

      const connection = await machine.deps.connect(undefined);
      const leftover = await roomOf(connection).begin(10, soon());
      await expect(access(path.join(folder, "~7ESMOKE"))).resolves.toBeUndefined();
      expect(await idsIn(machine.deps)).toEqual([kept?.id]);
      // Not a day old: stays.
      await smoke(machine.deps, request, soon());
      await expect(
        access(path.join(folder, "~7ESMOKE", leftover.reference.replaceAll("/", "_"))),
      ).resolves.toBeUndefined();
      await expect(
        roomOf(connection).erase({ ...leftover, case: "01AB1234526", reference: "ABC/1" }, soon()),
      ).rejects.toMatchObject({ code: "policy.not-permitted" });
      later.aheadMs += 25 * 3_600_000;
      await smoke(machine.deps, request, soon());
      expect((await readdir(folder)).sort()).toEqual([".uploads", "01AB1234526"]);
    } finally {
      await machine.close();
    }
  });
});
