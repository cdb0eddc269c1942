import { execFile, spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { createWriteStream } from "node:fs";
import { mkdir, mkdtemp, readFile, readdir, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { caseTar } from "../../src/app/case-tar.ts";
import { TarArchive } from "../../src/app/tar-archive.ts";
import { newMachine, type Machine } from "../support/cli.ts";
import { makeClient, upload, uploadOf } from "../support/client.ts";
import { startFaultProxy } from "../support/fault-proxy.ts";
import { enrol, soon, startServer } from "../support/server.ts";

const exec = promisify(execFile);
const big = randomBytes(3_000_000);
let machine: Machine;
let folders = 0;
const at = (...names: string[]): string => path.join(machine.folder, ...names);
const newFolder = async (): Promise<string> => {
  const folder = at(`out-${(folders += 1)}`);
  await mkdir(folder);
  return folder;
};

beforeAll(async () => {
  machine = await newMachine();
  await mkdir(at("nas"));
  await mkdir(at("dvr", "cam 1"), { recursive: true });
  await writeFile(at("dvr", "cam 1", "a\nb.txt"), "alpha");
  await writeFile(at("dvr", "empty.bin"), "");
  await writeFile(at("block.bin"), randomBytes(1024));
  await writeFile(at("\u202Egpj.exe"), "odd");
  await writeFile(at("bus 42.mp4"), big);
  await machine.exhibit(["store", "add", "nas", at("nas")]);
  const upload = ["upload", "--case", "CAD 1/2", "--initials", "GN"];
  await machine.exhibit([...upload, at("block.bin")]);
  await machine.exhibit([...upload, "--one-exhibit", at("dvr")]);
  await machine.exhibit([...upload, at("\u202Egpj.exe"), at("bus 42.mp4")]);
});
afterAll(() => rm(machine.folder, { recursive: true, force: true }));

const tar = (file: string, folder: string, flags = "-xf") =>
  spawnSync("tar", [flags, file, "-C", folder], { encoding: "utf8" });
const check = (folder: string) =>
  spawnSync("sha256sum", ["-c", "--strict", "--quiet", "SHA256SUMS"], {
    cwd: folder,
    encoding: "utf8",
  });

describe("a case as one archive", () => {
  it("unpacks with GNU tar, and checks with coreutils, without a tool of ours", async () => {
    const file = at("case.tar");
    const ran = await machine.exhibit(["download", "--case", "cad 1/2", "--tar", file, "--json"]);
    expect([ran.code, ran.err]).toEqual([0, ""]);
    expect(ran.json()).toMatchObject({
      schema: "exhibit.download-tar/1",
      exhibits: 4,
      files: 5,
      bytes: 5 + 1024 + 3 + big.length,
      unfinished: [],
    });
    const folder = await newFolder();
    expect(tar(file, folder)).toMatchObject({ status: 0, stderr: "" });
    expect(check(folder)).toMatchObject({ status: 0, stdout: "", stderr: "" });
    const sums = await readFile(path.join(folder, "SHA256SUMS"), "utf8");
    expect(sums.split("\n")).toHaveLength(5 + 4 * 3 + 1 + 1);
    const names = await readFile(path.join(folder, "FILES.txt"), "utf8");
    expect(names.split("\n").map((line) => line.split("\t")[2])).toEqual([
      '"block.bin"',
      String.raw`"dvr/cam 1/a\nb.txt"`,
      '"dvr/empty.bin"',
      String.raw`"\u202egpj.exe"`,
      '"bus 42.mp4"',
      undefined,
    ]);
    const first = path.join(folder, "CAD~201_2", "GN_1");
    expect((await readdir(first)).sort()).toEqual([
      ...["GN_1-0001.bin", "custody.jsonl", "receipt.json", "record.json"],
    ]);
    const modified = (await stat(at("block.bin"))).mtimeMs;
    const unpacked = (await stat(path.join(first, "GN_1-0001.bin"))).mtimeMs;
    expect(Math.floor(unpacked / 1000)).toBe(Math.floor(modified / 1000));
  });

  it("has receipts that vouch for what was unpacked", async () => {
    const folder = await newFolder();
    expect(tar(at("case.tar"), folder).status).toBe(0);
    const argv = ["receipt", "verify", path.join(folder, "CAD~201_2/GN_4/receipt.json")];
    const ran = await machine.exhibit([...argv, path.join(folder, "CAD~201_2/GN_4/GN_4-0001.mp4")]);
    expect([ran.code, ran.out]).toEqual([0, expect.stringContaining("GN_4-0001.mp4")]);
  });

  it("has signatures that openssl checks", async () => {
    const folder = await newFolder();
    tar(at("case.tar"), folder);
    const exhibit = path.join(folder, "CAD~201_2", "GN_1");
    const script = `set -e
      part() { grep -o "\\"$1\\":\\"[^\\"]*\\"" "$2" | head -n 1 | cut -d '"' -f 4; }
      plain() { tr '_-' '/+' | awk '{ while (length($0) % 4) $0 = $0 "="; print }' | base64 -d; }
      part payload receipt.json | plain > payload
      x=$(grep -o '"x":"[^"]*"' payload | head -n 1 | cut -d '"' -f 4)
      { printf '\\060\\052\\060\\005\\006\\003\\053\\145\\160\\003\\041\\000'; printf '%s' "$x" | plain; } > key.der
      printf '%s.%s' "$(part protected receipt.json)" "$(part payload receipt.json)" > signed
      part signature receipt.json | plain > signature
      openssl pkeyutl -verify -pubin -inkey key.der -keyform DER -rawin -in signed -sigfile signature
      want=$(grep -o '"record":{"sha256":"[^"]*"' payload | cut -d '"' -f 6)
      echo "$want  record.json" | sha256sum -c`;
    const { stdout } = await exec("sh", ["-c", script], { cwd: exhibit });
    expect(stdout).toContain("Signature Verified Successfully");
    expect(stdout).toContain("record.json: OK");
  });

  it.each([
    [[], 2, "usage.missing"],
    [["--case", "CAD 1/2"], 2, "usage.invalid"],
    [["CAD 1/2:GN/1", "--case", "CAD 1/2", "--tar", "x.tar"], 2, "usage.invalid"],
    [["--case", "CAD 1/2", "--tar", "x.tar", "--to", "x"], 2, "usage.invalid"],
    [["--case", "NONE", "--tar", "x.tar"], 5, "not-found.exhibit"],
    [["CAD 1/2:GN/99", "--tar", "x.tar"], 5, "not-found.exhibit"],
  ])("refuses %j with exit code %i", async (argv, code, name) => {
    const named = argv.map((word) => (word === "x.tar" ? at("x.tar") : word));
    const ran = await machine.exhibit(["download", ...named, "--json"]);
    expect((await readdir(at("."))).filter((file) => file.endsWith(".part"))).toEqual([]);
    expect([ran.code, (JSON.parse(ran.err) as { code: string }).code]).toEqual([code, name]);
  });

  it("overwrites nothing", async () => {
    const before = await readFile(at("case.tar"));
    const ran = await machine.exhibit(["download", "CAD 1/2:GN/1", "--tar", at("case.tar")]);
    expect(ran.code).toBe(8);
    expect((await readFile(at("case.tar"))).equals(before)).toBe(true);
  });

  it("refuses a terminal as standard output", async () => {
    const { fakeTerminal } = await import("../support/cli.ts");
    const { run } = await import("../../src/cli/run.ts");
    const { composeMachine } = await import("../../src/main.ts");
    const { terminal, out, err } = fakeTerminal({ live: true });
    const facts = { platform: process.platform, home: machine.folder, env: machine.env };
    const code = await run(["download", "--case", "CAD 1/2", "--tar", "-"], {
      terminal,
      machine: composeMachine(facts, "0.1.0", terminal),
      version: "0.1.0",
      signal: new AbortController().signal,
    });
    expect([code, out(), err()]).toEqual([2, "", expect.stringContaining("not for a terminal")]);
  });
});

describe("an archive on standard output", () => {
  it.each(["GN_2-0001.txt", "GN_4-0001.mp4", "GN_1-0001.bin"])(
    "is broken off where %s is not what was recorded, and tar and sha256sum fail",
    async (name) => {
      const file = at("nas", "CAD~201_2", name.slice(0, 4), name);
      const good = await readFile(file);
      const bad = Buffer.from(good);
      bad[bad.length - 1] = (bad.at(-1) ?? 0) ^ 1;
      await rm(file);
      await writeFile(file, bad);
      try {
        const folder = await newFolder();
        const script = `"$0" "$@" | tar -x -C '${folder}'; echo "codes \${PIPESTATUS[*]}"`;
        const program = [process.execPath, "bin/exhibit.js", "download", "--case", "CAD 1/2"];
        const { stdout, stderr } = spawnSync("bash", ["-c", script, ...program, "--tar", "-"], {
          env: { ...process.env, ...machine.env },
          encoding: "utf8",
        });
        expect(stdout).toBe("codes 6 2\n");
        expect(stderr).toContain(name);
        expect(stderr).toContain("Unexpected EOF");
        expect(check(folder).status).not.toBe(0);
        // Nobody gets the whole of what is wrong.
        const left = await stat(path.join(folder, "CAD~201_2", name.slice(0, 4), name));
        expect(left.size).toBeLessThan(good.length);
      } finally {
        await rm(file);
        await writeFile(file, good);
      }
    },
  );

  it("ends with exit code 3, and not with a crash, when its reader stops", () => {
    const script = `"$0" "$@" | head -c 100000 >/dev/null; echo "codes \${PIPESTATUS[*]}"`;
    const argv = [process.execPath, "bin/exhibit.js", "download", "--case", "CAD 1/2"];
    const ran = spawnSync("bash", ["-c", script, ...argv, "--tar", "-"], {
      env: { ...process.env, ...machine.env },
      encoding: "utf8",
    });
    expect([ran.stdout, ran.stderr]).toEqual([
      "codes 3 0\n",
      expect.stringContaining("stopped before its end"),
    ]);
  });
});

describe("an archive from a server", () => {
  it("goes on where a connection broke in mid-file, and has the custody log up to now", async () => {
    const proxy = await startFaultProxy();
    const server = await startServer({ settings: { publicUrl: proxy.url } });
    proxy.upstreamPort = Number(new URL(server.url).port);
    const person = await enrol(proxy.url, await server.invite("officer"));
    const client = await makeClient(proxy.url, person.machine);
    await upload(client.deps, uploadOf([at("bus 42.mp4")], { case: "C1" }), soon());
    const name = at("server.tar");
    const out = createWriteStream(name);
    let written = 0;
    let cuts = 0;
    const write = (bytes: Uint8Array): Promise<void> => {
      out.write(bytes);
      written += bytes.length;
      if (written > (cuts + 1) * 1_000_000 && cuts < 2) {
        cuts += 1;
        proxy.cut();
      }
      return Promise.resolve();
    };
    const request = { of: { case: "C1" }, write };
    expect(await caseTar(client.deps, request, soon())).toMatchObject({ exhibits: 1, files: 1 });
    await new Promise((resolve) => out.end(resolve));
    expect([cuts, client.events.filter(({ type }) => type === "waiting").length]).toEqual([
      2,
      expect.any(Number),
    ]);
    const folder = await newFolder();
    expect(tar(name, folder)).toMatchObject({ status: 0, stderr: "" });
    expect(check(folder)).toMatchObject({ status: 0 });
    // Fetching it once more, the log has the first fetching, too.
    const again: Uint8Array[] = [];
    const keep = (bytes: Uint8Array): Promise<void> => Promise.resolve(void again.push(bytes));
    await caseTar(client.deps, { of: { exhibit: "C1:ABC/1" }, write: keep }, soon());
    expect(Buffer.concat(again).toString("latin1")).toContain('"verb":"consulted"');
    await client.close();
    await server.stop();
    await proxy.close();
  });
});

describe("the archive's own form", () => {
  it("takes a file of more than 8 GiB with a pax header that GNU tar reads", async () => {
    const sizeBytes = 8 * 2 ** 30 + 1;
    const blocks: Uint8Array[] = [];
    const archive = new TarArchive((bytes) => {
      blocks.push(Buffer.from(bytes));
      return Promise.resolve();
    });
    const stop = new Error("enough");
    const file = { name: "C1/GN_1/GN_1-0001.mp4", sizeBytes, modifiedAt: new Date("2199-01-01") };
    await expect(archive.add(file, () => Promise.reject(stop))).rejects.toBe(stop);
    const name = at("long.tar");
    await writeFile(name, Buffer.concat(blocks));
    const listed = spawnSync("tar", ["-tvf", name], { encoding: "utf8" });
    expect(listed.stdout).toContain(` ${sizeBytes} `);
    expect(Buffer.concat(blocks).toString("latin1")).toContain(`size=${sizeBytes}\n`);
  });

  it.each([
    ["between two files", undefined],
    ["behind the header of an empty file", 0],
    ["behind the last byte of a file of whole blocks", 1024],
  ])("fails in GNU tar also when it is broken off %s", async (_, sizeBytes) => {
    const name = at("between.tar");
    const out = createWriteStream(name);
    const archive = new TarArchive((bytes) => {
      out.write(bytes);
      return Promise.resolve();
    });
    await archive.add({ name: "a", sizeBytes: 512, modifiedAt: new Date() }, (write) =>
      write(Buffer.alloc(512, "a")),
    );
    if (sizeBytes !== undefined) {
      const file = { name: "b", sizeBytes, modifiedAt: new Date() };
      const adding = archive.add(file, async (write) => {
        await write(Buffer.alloc(sizeBytes));
        throw new Error("not what was recorded");
      });
      await expect(adding).rejects.toThrow("not what was recorded");
    }
    await archive.breakOff();
    await new Promise((resolve) => out.end(resolve));
    const folder = await mkdtemp(path.join(tmpdir(), "exhibit-tar-"));
    expect(tar(name, folder)).toMatchObject({ status: 2 });
    await rm(folder, { recursive: true });
  });
});
