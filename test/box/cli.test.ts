import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { cp, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { sha256Of } from "../../src/evidence/digest.ts";
import { startBox, type Box } from "../support/box/box.ts";
import { addressOf } from "../support/box-store.ts";
import { finish, start } from "../support/built-program.ts";
import { sha256OfFile, writeRandom } from "../support/kill-and-resume.ts";

const MiB = 1024 * 1024;

interface UploadDocument {
  readonly exhibits: readonly {
    readonly bytesSent: number;
    readonly bytesSkipped: number;
    readonly receipt: {
      readonly files: readonly {
        readonly proof: string;
        readonly digest: { readonly sha256: string };
        readonly kept: { readonly checksums: { readonly sha1: string } };
      }[];
    };
  }[];
}

let box: Box;
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "exhibit-box-"));
  box = await startBox();
});
afterAll(async () => {
  expect([box.ourViolations, box.unsound]).toEqual([[], []]);
  await box.close();
  await rm(folder, { recursive: true, force: true });
});

async function exhibit(
  ...argv: string[]
): Promise<{ code: number | null; out: string; err: string }> {
  return finish(start(folder, argv));
}

/** Gives a new folder in Box a name on this machine, and logs in as the officer. */
async function storeCalled(name: string): Promise<void> {
  const address = addressOf(box, box.folder(box.users.officer, name));
  expect(await exhibit("store", "add", name, address)).toMatchObject({ code: 0 });
  const login = start(folder, [
    ...["login", name, "--client-id", box.app.clientId, "--secret-stdin"],
    ...["--box-ccg", `user:${box.users.officer.id}`],
  ]);
  login.stdin.write(box.app.clientSecret);
  expect(await finish(login)).toMatchObject({ code: 0 });
}

it("a folder in Box takes an exhibit, verifies it and gives it back, through the program", async () => {
  await storeCalled("whole");
  const files = path.join(folder, "in");
  await mkdir(files);
  const small = randomBytes(70_000);
  await writeFile(path.join(files, "call 07700 900123.wav"), small);
  const large = await writeRandom(path.join(files, "bus 42.mp4"), 51 * MiB + 7);
  const argv = [
    ...["upload", files, "--one-exhibit", "--store", "whole", "--case", "01AB1234526"],
    ...["--initials", "ABC", "--json"],
  ];
  expect(await exhibit(...argv, "--dry-run")).toMatchObject({ code: 0 });
  const uploaded = await exhibit(...argv);
  expect(uploaded).toMatchObject({ code: 0 });
  const [sent] = (JSON.parse(uploaded.out) as UploadDocument).exhibits;
  expect(sent?.receipt.files.map(({ proof }) => proof)).toEqual(["transport", "transport"]);
  const digests = sent?.receipt.files.map(({ digest }) => digest.sha256).sort();
  expect(digests).toEqual([sha256Of(small), large].sort());
  // What lies in Box has our keys for names, and nothing of a caller's number.
  const there = [...box.tree()].filter(([name]) => name.startsWith("whole/"));
  expect(there.map(([name]) => name.slice("whole/".length)).sort()).toEqual(
    [
      ...[".uploads", "01AB1234526", "01AB1234526/ABC_1"],
      ...["ABC_1-0001.mp4", "ABC_1-0002.wav", "custody.jsonl", "receipt.json"].map(
        (name) => `01AB1234526/ABC_1/${name}`,
      ),
      ...["record.json", "reservation.json"].map((name) => `01AB1234526/ABC_1/${name}`),
    ].sort(),
  );
  const sha1s = sent?.receipt.files.map(({ kept }) => kept.checksums.sha1) ?? [];
  expect(there.map(([, { sha1 }]) => sha1)).toEqual(expect.arrayContaining(sha1s));

  // By SHA-1 and size at once; with --deep by every byte.
  const since = box.requests.length;
  expect(await exhibit("verify", "ABC/1", "--store", "whole")).toMatchObject({ code: 0 });
  const read = box.requests.slice(since).reduce((sum, { sentBytes }) => sum + sentBytes, 0);
  expect(read).toBeLessThan(200_000);
  expect(await exhibit("verify", "ABC/1", "--deep", "--store", "whole")).toMatchObject({ code: 0 });
  const back = path.join(folder, "back");
  expect(await exhibit("download", "ABC/1", "--to", back, "--store", "whole")).toMatchObject({
    code: 0,
  });
  const again = await exhibit(...argv);
  expect(again).toMatchObject({ code: 0 });
  expect((JSON.parse(again.out) as UploadDocument).exhibits[0]?.bytesSent).toBe(0);
});

it.each([
  ["the case", "12ab", []],
  ["the reference", "12AB/abc_1", ["--ref", "ABC/1"]],
])("--dry-run tells that the name of %s is taken in other capitals", async (_, made, more) => {
  const name = `clash-${made.replace("/", "-")}`;
  await storeCalled(name);
  box.folder(box.users.officer, `${name}/${made}`);
  const file = path.join(folder, "clash.jpg");
  await writeFile(file, randomBytes(100));
  const argv = ["upload", file, "--store", name, "--case", "12AB", "--initials", "ABC", ...more];
  const since = box.requests.length;
  for (const dry of [["--dry-run"], []]) {
    const refused = await exhibit(...argv, ...dry);
    expect([refused.code, refused.err]).toEqual([8, expect.stringMatching(/in other capitals/)]);
  }
  const sent = box.requests.slice(since).filter(({ path: to }) => /content$/.test(to));
  expect(sent).toEqual([]);
});

it("reads back what Box proves less of than is asked for", async () => {
  await storeCalled("readback");
  const file = path.join(folder, "photo.jpg");
  await writeFile(file, randomBytes(90_000));
  const uploaded = await exhibit(
    ...["upload", file, "--store", "readback", "--case", "R/1", "--ref", "ABC/1", "--json"],
    ...["--require-proof", "read-back"],
  );
  expect(uploaded).toMatchObject({ code: 0 });
  const [sent] = (JSON.parse(uploaded.out) as UploadDocument).exhibits;
  expect(sent?.receipt.files[0]?.proof).toBe("read-back");
});

it.each([
  ["other bytes of the same length", (content: Buffer) => randomBytes(content.length)],
  ["nothing", undefined],
])("verify tells that %s lie there now", async (_, change) => {
  const name = change === undefined ? "gone" : "changed";
  await storeCalled(name);
  const file = path.join(folder, `${name}.jpg`);
  const content = randomBytes(30_000);
  await writeFile(file, content);
  const argv = ["--store", name, "--json"];
  expect(await exhibit("upload", file, "--case", "V/1", "--ref", "ABC/1", ...argv)).toMatchObject({
    code: 0,
  });
  expect(await exhibit("verify", "ABC/1", ...argv)).toMatchObject({ code: 0 });
  const id = box.tree().get(`${name}/V_1/ABC_1/ABC_1-0001.jpg`)?.id ?? "";
  const headers = { authorization: `Bearer ${box.developerToken(box.users.officer)}` };
  if (change === undefined) {
    await fetch(`${box.apiUrl}/2.0/files/${id}`, { method: "DELETE", headers });
  } else {
    const form = new FormData();
    form.set("attributes", JSON.stringify({ name: "ABC_1-0001.jpg" }));
    form.set("file", new Blob([new Uint8Array(change(content))]));
    const url = `${box.uploadUrl}/api/2.0/files/${id}/content`;
    expect((await fetch(url, { method: "POST", headers, body: form })).status).toBe(200);
  }
  const verified = await exhibit("verify", "ABC/1", ...argv);
  expect(verified.code).toBe(change === undefined ? 5 : 6);
});

describe("an upload that is broken off", () => {
  it.each([
    ["the program", false],
    ["the program, whose computer lost its state", true],
  ] as const)(
    "goes on where it was after SIGKILL of %s",
    async (_, losesState) => {
      const name = losesState ? "lost" : "killed";
      await storeCalled(name);
      const source = path.join(folder, `${name}.bin`);
      const sizeBytes = 96 * MiB;
      const sha256 = await writeRandom(source, sizeBytes);
      const argv = [
        ...["upload", source, "--store", name, "--case", "KILL/1", "--ref", "KIL/1"],
        ...["--json", "--concurrency", "2"],
      ];
      const received = (): number =>
        box.requests.reduce((sum, { receivedBytes }) => sum + receivedBytes, 0);
      const before = received();
      const child = start(folder, [...argv, "--progress", "json"]);
      const closed = once(child, "close");
      let told = "";
      child.stderr.on("data", (piece: Buffer) => {
        told += piece.toString();
        if ((told.match(/"type":"part-done"/g) ?? []).length >= 4) child.kill("SIGKILL");
      });
      await closed;
      if (losesState) {
        await cp(path.join(folder, "state"), path.join(folder, "state.old"), { recursive: true });
        await rm(path.join(folder, "state"), { recursive: true });
      }
      const { code, out } = await finish(start(folder, argv));
      expect(code).toBe(0);
      const [sent] = (JSON.parse(out) as UploadDocument).exhibits;
      expect(sent?.receipt.files[0]?.digest.sha256).toBe(sha256);
      const { partBytes } = box.settings;
      expect(sent?.bytesSkipped).toBeGreaterThanOrEqual(4 * partBytes);
      // Two parts were in flight, and requests around them.
      expect(received() - before - sizeBytes).toBeLessThan(2 * partBytes + 512 * 1024);
      const where = box.tree().get(`${name}/KILL_1/KIL_1/KIL_1-0001.bin`);
      expect(sha256Of(box.content(where?.id ?? ""))).toBe(sha256);
      expect(await exhibit("uploads", "list", "--store", name, "--json")).toMatchObject({
        code: 0,
      });
      expect(await sha256OfFile(source)).toBe(sha256);
    },
    120_000,
  );
});
