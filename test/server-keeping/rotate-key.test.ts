import { cp, mkdtemp, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import type { JWK } from "jose";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { followRotations, rotationType, sealRotation } from "../../src/evidence/key-rotation.ts";
import { receiptType } from "../../src/evidence/receipt.ts";
import {
  newPrivateJwk,
  sealedSchema,
  seal,
  signingKey,
  unverifiedPayload,
  type SigningKey,
} from "../../src/evidence/seal.ts";
import { secretFile } from "../../src/platform/secrets/secret-file.ts";
import { connectServer } from "../../src/stores/server/connection.ts";
import { newMachine, type Machine } from "../support/cli.ts";
import { freePort } from "../support/free-port.ts";
import { newMachine as storeMachine, soon } from "../support/server.ts";
import { enrolAt, rebuilding, serveFolder, type FolderServer } from "../support/serving.ts";

describe("a chain of rotations", () => {
  const now = new Date("2026-06-01T00:00:00Z");
  const [first, second, third] = ["2026-01-01", "2026-02-01", "2026-03-01"].map(
    (day) => `${day}T00:00:00.000Z`,
  ) as [string, string, string];
  let a: SigningKey;
  let b: SigningKey;
  let c: SigningKey;
  let d: SigningKey;
  beforeAll(async () => {
    const key = async (): Promise<SigningKey> => signingKey(await newPrivateJwk());
    [a, b, c, d] = [await key(), await key(), await key(), await key()];
  });

  it("leads from any of its keys to the last, in whatever order it comes", async () => {
    const chain = [await sealRotation(b, c, second), await sealRotation(a, b, first)];
    for (const from of [a, b]) {
      await expect(
        followRotations(chain, from.thumbprint, c.publicJwk, now),
      ).resolves.toBeUndefined();
    }
  });

  it.each([
    [
      "a link is missing",
      async () => [await sealRotation(a, b, first), await sealRotation(c, d, second)],
    ],
    ["there is none", () => Promise.resolve([])],
    [
      "it leads elsewhere",
      async () => [await sealRotation(a, b, first), await sealRotation(b, c, second)],
    ],
    [
      "it goes back to where it came from",
      async () => [await sealRotation(a, b, first), await sealRotation(b, a, second)],
    ],
    [
      "the new key has not signed",
      async () => [await seal({ ...statement(a, d), at: first }, rotationType, a)],
    ],
    [
      "the old key has not signed",
      async () => [await seal({ ...statement(a, d), at: first }, rotationType, d)],
    ],
    [
      "another key has signed for the old one",
      async () => {
        const forged = await sealRotation({ ...b, publicJwk: a.publicJwk }, d, first);
        return [forged];
      },
    ],
    [
      "it was changed after signing",
      async () => {
        const sealed = await sealRotation(a, b, first);
        const payload = Buffer.from(JSON.stringify({ ...statement(a, d), at: first }));
        return [{ ...sealed, payload: payload.toString("base64url") }];
      },
    ],
    [
      "a key hands on twice",
      async () => [await sealRotation(a, d, first), await sealRotation(a, b, second)],
    ],
    [
      "its dates go back",
      async () => [await sealRotation(a, b, third), await sealRotation(b, d, second)],
    ],
    ["it is of the future", async () => [await sealRotation(a, d, "2027-01-01T00:00:00Z")]],
  ] as const)("does not count when %s", async (_what, chain) => {
    await expect(
      followRotations(await chain(), a.thumbprint, d.publicJwk, now),
    ).rejects.toMatchObject({ code: "integrity.signature" });
  });

  const statement = (from: SigningKey, to: SigningKey) => ({
    schema: rotationType,
    from: from.publicJwk,
    to: to.publicJwk,
  });
});

describe("exhibit server rotate-key", () => {
  let root: string;
  let port: number;
  let server: FolderServer;
  let garage: Machine;
  let idle: Machine;
  let invited: Machine;
  let anew: Machine;
  let oldInvitation: string;

  beforeAll(async () => {
    root = await mkdtemp(path.join(tmpdir(), "exhibit-rotation-"));
    port = await freePort();
    [garage, idle, invited, anew] = [
      await newMachine(),
      await newMachine(),
      await newMachine(),
      await newMachine(),
    ];
    server = await serveFolder(data(), port);
    await enrolAt(server, garage);
    await enrolAt(server, idle, await invite(garage));
    oldInvitation = await invite(garage);
    await upload(garage, 1);
  }, 60_000);
  afterAll(async () => {
    await server.stop();
    for (const folder of [root, garage, idle, invited, anew].map((one) =>
      typeof one === "string" ? one : one.folder,
    )) {
      await rm(folder, { recursive: true });
    }
  });

  const data = (name = "data"): string => path.join(root, name);
  const keyFile = (name = "data"): string => path.join(data(name), "server-key.json");

  async function invite(by: Machine): Promise<string> {
    const made = await by.exhibit([
      "invite",
      "create",
      "--role",
      "officer",
      "--org",
      "X",
      "--json",
    ]);
    return (made.json() as { code: string }).code;
  }

  async function upload(by: Machine, serial: number): Promise<void> {
    const file = path.join(root, `${serial}.bin`);
    await writeFile(file, `recording ${serial}`);
    const ran = await by.exhibit(["upload", file, "--case", "C1", "--ref", `ABC/${serial}`]);
    expect(ran).toMatchObject({ code: 0 });
  }

  async function rotate(...more: string[]): Promise<string> {
    await server.stop();
    const ran = await garage.exhibit(["server", "rotate-key", "--data", data(), "--json", ...more]);
    expect(ran).toMatchObject({ code: 0, err: "" });
    server = await serveFolder(data(), port);
    return (ran.json() as { thumbprint: string }).thumbprint;
  }

  async function receiptOf(machine: Machine, serial: number): Promise<string> {
    const folder = path.join(machine.folder, "state", "receipts");
    for (const name of await readdir(folder, { recursive: true })) {
      if (!name.endsWith(".json")) continue;
      const text = await readFile(path.join(folder, name), "utf8");
      const sealed = sealedSchema.safeParse(JSON.parse(text));
      if (!sealed.success) continue;
      const { reference } = unverifiedPayload(sealed.data) as { reference?: string };
      if (reference === `ABC/${serial}`) return path.join(folder, name);
    }
    throw new Error(`There is no receipt of ABC/${serial}.`);
  }

  async function verifyReceipt(machine: Machine, receipt: string, serial: number) {
    const argv = ["receipt", "verify", receipt, path.join(root, `${serial}.bin`)];
    return machine.exhibit(argv);
  }

  it("is refused while the server runs, and where there is none", async () => {
    const running = await garage.exhibit(["server", "rotate-key", "--data", data()]);
    expect(running).toMatchObject({ code: 8, err: expect.stringContaining("already uses") });
    const none = await garage.exhibit(["server", "rotate-key", "--data", root]);
    expect(none).toMatchObject({ code: 5, out: "" });
  });

  it("twice: clients follow, old and new receipts verify, online and off", async () => {
    await cp(data(), data("old copy"), { recursive: true });
    const [secrets, machine] = [secretFile(path.join(garage.folder, "keys.json")), storeMachine()];
    const running = await connectServer("s", server.serving.url, { ...machine, secrets }, soon());
    const second = await rotate();
    await upload(garage, 2);
    // A conversation that was opened before reads what the new key has sealed.
    const [entry] = await running.register.find(
      { kind: "reference", case: "C1", reference: "ABC/2" },
      soon(),
    );
    if (entry === undefined) throw new Error("ABC/2 was not found.");
    expect((await running.register.read(entry, soon())).receipt.issuer.thumbprint).toBe(second);

    const third = await rotate();
    await upload(garage, 3);
    // Of these one sees two changes at once, and one has a code that is older than both.
    await enrolAt(server, invited, oldInvitation);
    for (const one of [garage, idle, invited]) {
      for (const serial of [1, 2, 3]) {
        expect(await one.exhibit(["verify", `C1:ABC/${serial}`])).toMatchObject({ code: 0 });
      }
      for (const serial of [1, 2, 3]) {
        const checked = await verifyReceipt(one, await receiptOf(garage, serial), serial);
        expect(checked).toMatchObject({ code: 0 });
      }
    }
    const keys = await idle.exhibit(["key", "list", "--json"]);
    const listed = (keys.json() as { keys: { thumbprint: string; until?: string }[] }).keys;
    expect(listed.map(({ thumbprint, until }) => [thumbprint, until !== undefined])).toEqual([
      [third, false],
      [second, true],
      [expect.any(String), true],
    ]);
    const fresh = { rebuildIndex: rebuilding() };
    await server.stop();
    server = await serveFolder(data(), port, fresh);
    expect(server.serving.rebuilt).toMatchObject({ present: 3, notIndexed: 0 });
  }, 60_000);

  it("leaves a retired key good for nothing new", async () => {
    // A receipt that is younger than the retirement of its key.
    const file = await receiptOf(garage, 1);
    const receipt = unverifiedPayload(sealedSchema.parse(JSON.parse(await readFile(file, "utf8"))));
    const { key } = JSON.parse(await readFile(keyFile("old copy"), "utf8")) as { key: JWK };
    const later = { ...(receipt as object), receivedAt: new Date().toISOString() };
    const forged = path.join(root, "forged.json");
    await writeFile(forged, JSON.stringify(await seal(later, receiptType, await signingKey(key))));
    const checked = await verifyReceipt(garage, forged, 1);
    expect(checked).toMatchObject({ code: 6, err: expect.stringContaining("was retired on") });

    await server.stop();
    // The old data folder again, over the evidence as it is now.
    await rm(path.join(data("old copy"), "content"), { recursive: true });
    await cp(path.join(data(), "content"), path.join(data("old copy"), "content"), {
      recursive: true,
    });
    await expect(serveFolder(data("old copy"), port)).rejects.toMatchObject({
      code: "conflict.locked",
      message: expect.stringContaining("it is an old copy"),
    });
    // And without that evidence: whoever has followed does not go back.
    await rm(path.join(data("old copy"), "content"), { recursive: true });
    server = await serveFolder(data("old copy"), port);
    for (const one of [garage, idle, invited]) {
      const ran = await one.exhibit(["list", "--json"]);
      expect(ran).toMatchObject({
        code: 4,
        err: expect.stringContaining("auth.server-key-changed"),
      });
    }
    await server.stop();
    server = await serveFolder(data(), port);
    expect(await idle.exhibit(["list"])).toMatchObject({ code: 0 });
  }, 60_000);

  it("a foreign server with the real statements is refused", async () => {
    const real = JSON.parse(await readFile(keyFile(), "utf8")) as Record<string, unknown>;
    await server.stop();
    server = await serveFolder(data("foreign"), port);
    await server.stop();
    const own = JSON.parse(await readFile(keyFile("foreign"), "utf8")) as Record<string, unknown>;
    const mixed = { ...own, retired: real["retired"], rotations: real["rotations"] };
    await writeFile(keyFile("foreign"), JSON.stringify(mixed));
    server = await serveFolder(data("foreign"), port);
    const ran = await garage.exhibit(["list", "--json"]);
    expect(ran).toMatchObject({ code: 4, err: expect.stringContaining("auth.server-key-changed") });
    await server.stop();
    server = await serveFolder(data(), port);
  }, 60_000);

  it("with the old key lost everyone logs in anew, and old exhibits still verify", async () => {
    await server.stop();
    await rm(keyFile());
    const refused = await garage.exhibit(["server", "rotate-key", "--data", data()]);
    expect(refused).toMatchObject({ code: 8, err: expect.stringContaining("--old-key-lost") });
    const argv = ["server", "rotate-key", "--data", data(), "--old-key-lost"];
    const ran = await garage.exhibit(argv);
    expect(ran).toMatchObject({ code: 0, err: expect.stringContaining("log in again") });
    expect(ran.out.match(/Retired/g)).toHaveLength(3);
    server = await serveFolder(data(), port, { newAdminInvitation: true });
    expect(await garage.exhibit(["list", "--json"])).toMatchObject({
      code: 4,
      err: expect.stringContaining("auth.server-key-changed"),
    });
    await enrolAt(server, anew);
    for (const serial of [1, 2, 3]) {
      expect(await anew.exhibit(["verify", `C1:ABC/${serial}`])).toMatchObject({ code: 0 });
    }
  }, 60_000);
});
