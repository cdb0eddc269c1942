import { cp, mkdir, mkdtemp, readFile, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { newMachine, type Machine } from "../support/cli.ts";
import { freePort } from "../support/free-port.ts";
import { enrolAt, rebuilding, serveFolder, type FolderServer } from "../support/serving.ts";

let root: string;
let garage: Machine;
let admin: Machine;
let port: number;
let server: FolderServer;
let thumbprint: string;

beforeAll(async () => {
  root = await mkdtemp(path.join(tmpdir(), "exhibit-rebuild-"));
  [garage, admin] = [await newMachine(), await newMachine()];
  port = await freePort();
  server = await serveFolder(data("lost"), port);
  await enrolAt(server, garage);
  const keys = await garage.exhibit(["key", "list", "--json"]);
  thumbprint = (keys.json() as { keys: { thumbprint: string }[] }).keys[0]?.thumbprint ?? "";
  for (let at = 1; at <= 8; at += 1) {
    const file = path.join(root, `camera ${at}.bin`);
    await writeFile(file, Buffer.alloc(3000, `${at}`));
    const argv = ["upload", file, "--case", "01AB/1234526", "--ref", `ABC/${at}`];
    expect(await garage.exhibit(argv)).toMatchObject({ code: 0 });
  }
  await server.stop();
}, 60_000);
afterAll(async () => {
  await server.stop();
  for (const folder of [root, garage.folder, admin.folder]) await rm(folder, { recursive: true });
});

const data = (name: string): string => path.join(root, name);
const exhibit = (name: string, serial: number, file = ""): string =>
  path.join(data(name), "content", "01AB_1234526", `ABC_${serial}`, file);

/** A data folder in which only the content is left, and with it the key where that is said. */
async function leftOver(name: string, key: boolean): Promise<void> {
  await mkdir(data(name), { recursive: true });
  await cp(path.join(data("lost"), "content"), path.join(data(name), "content"), {
    recursive: true,
  });
  const file = "server-key.json";
  if (key) await cp(path.join(data("lost"), file), path.join(data(name), file));
}

async function edit(file: string, change: (text: string) => string): Promise<void> {
  await writeFile(file, change(await readFile(file, "utf8")));
}

describe("--rebuild-index", () => {
  it("finds all exhibits again when the database is lost, and says who is not known any more", async () => {
    await leftOver("no database", true);
    const request = rebuilding();
    server = await serveFolder(data("no database"), port, { rebuildIndex: request });
    const counts = { looked: 8, added: 8, finished: 0, present: 0, unsealed: 0, notIndexed: 0 };
    expect([server.serving.rebuilt, request.leftOut]).toEqual([counts, []]);
    // The garage's access is gone with the accounts; the exhibits are there for the admin of the new ones.
    const refused = await garage.exhibit(["list"]);
    expect(refused).toMatchObject({ code: 4, out: "" });
    await enrolAt(server, admin);
    const listed = await admin.exhibit(["list", "--json"]);
    expect((listed.json() as { exhibits: unknown[] }).exhibits).toHaveLength(8);
    const verified = await admin.exhibit(["verify", "01AB/1234526:ABC/3"]);
    expect(verified).toMatchObject({ code: 0 });
    const log = await admin.exhibit(["log", "01AB/1234526:ABC/3", "--json"]);
    expect(log.out).toContain('"indexed-again"');
    const identities = await admin.exhibit(["identity", "list", "--json"]);
    const people = (identities.json() as { identities: Record<string, unknown>[] }).identities;
    const unknown = people.find(({ organisation }) => String(organisation).startsWith("Unknown"));
    expect(people).toHaveLength(2);
    expect(unknown?.["revokedAt"]).toBeDefined();
    expect(log.out).toContain(`"actor":"${String(unknown?.["id"])}"`);
    // And nothing given out afterwards is one that was found.
    const file = path.join(root, "new.bin");
    await writeFile(file, "new");
    const sending = ["--case", "01AB/1234526", "--initials", "ABC", "--json"];
    const sent = await admin.exhibit(["upload", file, ...sending]);
    expect(sent.out).toContain('"reference":"ABC/9"');
    expect(await admin.exhibit(["share", "list", "--json"])).toMatchObject({ code: 0 });
    await server.stop();

    server = await serveFolder(data("no database"), port, { rebuildIndex: rebuilding() });
    expect(server.serving.rebuilt).toEqual({ ...counts, looked: 9, added: 0, present: 9 });
    await server.stop();
  });

  it("believes a former key only when its operator names it, and publishes it then as retired", async () => {
    await leftOver("nothing", false);
    await expect(serveFolder(data("nothing"), port)).rejects.toMatchObject({
      code: "conflict.exists",
    });
    const request = rebuilding();
    server = await serveFolder(data("nothing"), port, { rebuildIndex: request });
    expect(server.serving.rebuilt).toMatchObject({ added: 0, notIndexed: 8 });
    expect(request.leftOut).toContain("ABC/1 integrity.signature");
    await server.stop();

    const named = rebuilding([thumbprint]);
    server = await serveFolder(data("nothing"), port, { rebuildIndex: named });
    expect(server.serving.rebuilt).toMatchObject({ added: 8, notIndexed: 0 });
    const answer = await fetch(`${server.serving.url}/.well-known/exhibit-keys.json`);
    const { keys } = (await answer.json()) as { keys: { kid: string; retiredAt?: string }[] };
    expect(keys.map(({ kid, retiredAt }) => [kid === thumbprint, retiredAt !== undefined])).toEqual(
      [
        [false, false],
        [true, true],
      ],
    );
    await server.stop();
  });

  it("leaves out, and names, what does not verify", async () => {
    await leftOver("spoilt", true);
    const swap = async (name: string, a: number, b: number): Promise<void> => {
      await rename(exhibit("spoilt", a, name), exhibit("spoilt", a, "aside"));
      await rename(exhibit("spoilt", b, name), exhibit("spoilt", a, name));
      await rename(exhibit("spoilt", a, "aside"), exhibit("spoilt", b, name));
    };
    // A file that was changed in its length, a log with a line less, documents of another exhibit, a missing receipt.
    await edit(exhibit("spoilt", 1, "ABC_1-0001.bin"), (text) => `${text}more`);
    await edit(exhibit("spoilt", 2, "custody.jsonl"), (text) => text.replace(/\n[^\n]*\n$/, "\n"));
    await swap("record.json", 3, 4);
    await rm(exhibit("spoilt", 5, "receipt.json"));
    await edit(exhibit("spoilt", 6, "receipt.json"), (text) =>
      text.replace('"payload":"e', '"payload":"f'),
    );
    await rm(exhibit("spoilt", 7, "record.json"));
    const request = rebuilding();
    server = await serveFolder(data("spoilt"), port, { rebuildIndex: request });
    expect([...request.leftOut].sort()).toEqual([
      "ABC/1 integrity.mismatch",
      "ABC/2 integrity.mismatch",
      "ABC/3 integrity.mismatch",
      "ABC/4 integrity.mismatch",
      "ABC/5 integrity.mismatch",
      expect.stringMatching(/^ABC\/6 integrity\./),
    ]);
    const counts = { looked: 8, added: 1, finished: 0, present: 0, unsealed: 1, notIndexed: 6 };
    expect(server.serving.rebuilt).toEqual(counts);
  });
});
