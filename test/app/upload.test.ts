import {
  afterAll,
  afterEach,
  beforeAll,
  beforeEach,
  describe,
  expect,
  it,
  jest,
} from "@jest/globals";
import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { appendFile, readFile, readdir, rm, utimes } from "node:fs/promises";
import path from "node:path";
import { custodyLog } from "../../src/app/custody-log.ts";
import { download } from "../../src/app/download.ts";
import { list } from "../../src/app/list.ts";
import { show } from "../../src/app/show.ts";
import { abortUpload } from "../../src/app/uploads.ts";
import { verify } from "../../src/app/verify.ts";
import { ExhibitError } from "../../src/evidence/errors.ts";
import { openSqlite } from "../../src/platform/sqlite.ts";
import { startOf } from "../../src/platform/process-identity.ts";
import {
  breakOffUpload,
  makeClient,
  resume,
  upload,
  uploadOf,
  type TestClient,
} from "../support/client.ts";
import { storeGone } from "../support/counted.ts";
import { soon, startServer, type Person, type TestServer } from "../support/server.ts";

jest.setTimeout(30_000);
const partBytes = 64 * 1024;

let server: TestServer;
let person: Person;
beforeAll(async () => {
  server = await startServer();
  person = await server.enrol("partner");
});
afterAll(async () => {
  await server.stop();
});

const kinds = [
  ["a folder", () => makeClient()],
  ["an exhibit server", () => makeClient(server.url, person.machine)],
] as const;

describe.each(kinds)("uploading to %s", (kind, make) => {
  let client: TestClient;
  let caseRef = "";
  let ordinal = 0;
  beforeEach(async () => {
    client = await make();
    ordinal += 1;
    caseRef = `${kind === "a folder" ? "F" : "S"}${ordinal}/26`;
  });
  afterEach(async () => {
    await client.close();
  });
  const ask = (paths: readonly string[], more = {}): Parameters<typeof upload>[1] =>
    uploadOf(paths, { case: caseRef, ...more });

  const breakOff = (request: Parameters<typeof upload>[1], after: number): Promise<void> =>
    breakOffUpload(client, request, after);

  it("makes each file an exhibit that can be listed, shown, verified and brought back", async () => {
    const clip = await client.write("cam/1.mp4", randomBytes(3 * partBytes + 5));
    const call = await client.write("cam/call 07700.wav", "RIFF1234WAVEfmt and so on");
    const empty = await client.write("cam/z", "");
    const modified = new Date("2026-03-29T01:30:00Z");
    for (const file of [clip, call, empty]) await utimes(file, modified, modified);
    const request = ask([path.dirname(clip)], {
      title: "From the 52",
      producer: "A. Producer",
      recorded: { from: "2026-03-29T00:00:00Z", timeZone: "Europe/London" },
      clockOffset: { seconds: -40, measuredBy: "speaking clock" },
    });
    const done = await upload(client.deps, request, soon());
    expect(done.failed).toEqual([]);
    expect(done.exhibits.map(({ reference, outcome }) => [reference, outcome])).toEqual([
      ["ABC/1", "uploaded"],
      ["ABC/2", "uploaded"],
      ["ABC/3", "uploaded"],
    ]);
    const found: string[] = [];
    for await (const { reference, state } of list(client.deps, { case: caseRef }, soon())) {
      found.push(`${reference} ${state}`);
    }
    expect(found).toEqual(["ABC/1 sealed", "ABC/2 sealed", "ABC/3 sealed"]);
    const { sealed } = await show(client.deps, { exhibit: `${caseRef}:ABC/2` }, soon());
    expect(sealed?.record).toMatchObject({
      title: "From the 52",
      clockOffset: { seconds: -40 },
      files: [{ path: "cam/call 07700.wav" }],
    });
    expect(sealed?.record.files[0]).toMatchObject({
      modifiedAt: modified.toISOString(),
      mediaType: "audio/wav",
    });
    expect(JSON.stringify(sealed?.record.files[0]?.key)).not.toContain("07700");
    const [first] = done.exhibits;
    const exhibit = first?.id ?? "";
    // Neither keeps a digest of its own that could be compared: nothing is checked by less than its bytes.
    expect(first?.receipt).not.toHaveProperty("storeCheck");
    expect(first?.receipt.files[0]).not.toHaveProperty("kept");
    for (const deep of [false, true]) {
      const found = await verify(client.deps, { exhibit, deep }, soon());
      expect(found).toMatchObject({
        failed: [],
        files: [{ outcome: "matches", sizeBytes: 3 * partBytes + 5, checkedBy: "re-read" }],
      });
    }
    const log = await custodyLog(client.deps, { exhibit }, soon());
    expect(log.vouchedLines).toBe(first?.receipt.custody.lines);
    const to = path.join(client.folder, "back");
    const back = await download(client.deps, { exhibit, to }, soon());
    expect(back.failed).toEqual([]);
    expect((await readdir(to)).sort()).toEqual(["ABC_1.receipt.json", "ABC_1.record.json", "cam"]);
    const restored = path.join(to, "cam/1.mp4");
    expect((await readFile(restored)).equals(await readFile(clip))).toBe(true);
    const again = await download(client.deps, { exhibit, to }, soon());
    expect(again.files).toMatchObject([{ outcome: "present" }]);
  });

  it("finds everything there when the same command is run again, and sends nothing", async () => {
    const file = await client.write("a.mp4", randomBytes(3 * partBytes));
    const first = await upload(client.deps, ask([file]), soon());
    await client.loseState();
    const second = await upload(client.deps, ask([file]), soon());
    expect(client.store.bytesSent).toBe(0);
    expect(second.exhibits).toMatchObject([
      { id: first.exhibits[0]?.id, outcome: "already-present", bytesSent: 0 },
    ]);
    expect(second.exhibits[0]?.receipt).toEqual(first.exhibits[0]?.receipt);
    expect(client.deps.journal.openJobs()).toEqual([]);
  });

  it.each([
    ["resume", false],
    ["the same command after the state folder was lost", true],
  ])("sends only the missing parts on %s, under the same reference", async (_, lost) => {
    const file = await client.write("a.mp4", randomBytes(10 * partBytes));
    const other = await client.write("b.mp4", randomBytes(2 * partBytes));
    const request = ask([file, other]);
    await breakOff(request, 6);
    const { source } = client.deps;
    source.bytesRead = 0;
    if (lost) await client.loseState();
    const { exhibits } = lost
      ? await upload(client.deps, request, soon())
      : ((await resume(client.deps, {}, soon())).jobs[0]?.result ?? { exhibits: [] });
    expect(exhibits.map(({ reference }) => reference)).toEqual(["ABC/1", "ABC/2"]);
    const [first] = exhibits;
    expect(first?.bytesSkipped).toBeGreaterThanOrEqual(4 * partBytes);
    // At most the two that were in flight when it was stopped go up again; if they still arrived, none.
    expect(client.store.bytesSent - (first?.bytesSent ?? 0)).toBeLessThanOrEqual(2 * partBytes);
    expect((first?.bytesSent ?? 0) + (first?.bytesSkipped ?? 0)).toBe(10 * partBytes);
    expect(source.bytesRead).toBe(12 * partBytes);
    expect((await resume(client.deps, {}, soon())).jobs).toEqual([]);
  });

  it.each([
    ["nothing", false, 0],
    ["only what needs no parts, the state folder lost,", true, 1000],
  ])(
    "sends %s again of files that arrived before their exhibit could be sealed",
    async (_, lost, again) => {
      await client.write("box/a.mp4", randomBytes(3 * partBytes));
      await client.write("box/b.mp4", randomBytes(1000));
      const request = ask([path.join(client.folder, "evidence", "box")], { oneExhibit: true });
      client.onConnect = (connection) => {
        Object.assign(connection.register, {
          sealRecord: () => Promise.reject(new Error("power cut")),
        });
      };
      await expect(upload(client.deps, request, soon())).rejects.toThrow("power cut");
      client.onConnect = undefined;
      if (lost) await client.loseState();
      const { exhibits } = await upload(client.deps, request, soon());
      expect(exhibits).toMatchObject([{ reference: "ABC/1", files: 2, bytesSent: again }]);
    },
  );

  it("keeps a folder's tree and names, whatever they are, and restores them", async () => {
    const names = [
      "sub/é \"q\" 'x'.mp4",
      "sub/🚓",
      "‮rtl‬.txt",
      `${"n".repeat(251)}.wav`,
      "a",
      "z/0",
    ];
    const folder = path.join(client.folder, "evidence", "box");
    for (const name of names) await client.write(path.join("box", name), `content of ${name}`);
    const raw = Buffer.concat([Buffer.from(`${folder}/raw`), Buffer.from([0xff])]);
    execFileSync("cp", [path.join(folder, "a"), raw as unknown as string].map(String));
    execFileSync("mkfifo", [path.join(folder, "pipe")]);
    const done = await upload(client.deps, ask([folder], { oneExhibit: true }), soon());
    expect(done.failed).toEqual([]);
    expect(done.skipped).toEqual([{ path: "box/pipe", reason: "a pipe, not a file" }]);
    const to = path.join(client.folder, "back");
    const back = await download(client.deps, { exhibit: `${caseRef}:ABC/1`, to }, soon());
    expect(back.failed).toEqual([]);
    await rm(path.join(folder, "pipe"));
    execFileSync("diff", ["-r", folder, path.join(to, "box")]);
    expect(back.files).toHaveLength(names.length + 1);
  });

  it("goes on with the other exhibits when one fails, and keeps the job open for it", async () => {
    const files: string[] = [];
    for (const name of ["a", "b", "c"]) {
      files.push(await client.write(name, randomBytes(2 * partBytes)));
    }
    client.deps.source.afterRead = async () => {
      client.deps.source.afterRead = undefined;
      await appendFile(files[0] ?? "", "still recording");
    };
    const first = await upload(client.deps, ask(files), soon());
    expect(first.exhibits.map(({ contents }) => contents[0]?.path)).toEqual(["b", "c"]);
    expect(first.failed).toMatchObject([{ path: "a", code: "integrity.source-changed" }]);
    const { jobs } = await resume(client.deps, {}, soon());
    expect(jobs[0]?.result?.exhibits).toMatchObject([
      { outcome: "uploaded" },
      { outcome: "already-present" },
      { outcome: "already-present" },
    ]);
    expect(client.deps.journal.openJobs()).toEqual([]);
  });

  it("stops at once when the store is gone, and says what was not tried", async () => {
    const files: string[] = [];
    for (const name of ["a", "b", "c"]) files.push(await client.write(name, randomBytes(100)));
    client.onConnect = (connection) => {
      Object.assign(connection, { bundles: undefined });
      connection.store.fail("put", "before", storeGone(), 9999);
    };
    await expect(upload(client.deps, ask(files), soon())).rejects.toMatchObject({
      code: "unavailable.store",
    });
    let puts = 0;
    client.onConnect = (connection) => {
      Object.assign(connection, { bundles: undefined });
      const { store } = connection;
      const put = store.put.bind(store);
      store.put = (...given) => {
        puts += 1;
        return puts === 1
          ? put(...given)
          : Promise.reject(new ExhibitError("auth.identity-revoked", "No."));
      };
    };
    const result = await upload(client.deps, ask(files), soon());
    expect(result.exhibits).toHaveLength(1);
    expect(result.failed.map(({ path, code }) => [path, code])).toEqual([
      ["b", "auth.identity-revoked"],
      ["c", "auth.identity-revoked"],
    ]);
    expect(puts).toBe(2);
  });

  it("takes the same content under the same reference for present, and refuses other content", async () => {
    const here = await client.write("here/a.mp4", randomBytes(partBytes + 1));
    const there = await client.write("there/a.mp4", await readFile(here));
    const other = await client.write("other/a.mp4", randomBytes(partBytes + 1));
    const named = { reference: "XYZ/7" };
    await upload(client.deps, ask([here], named), soon());
    const same = await upload(client.deps, ask([there], named), soon());
    expect(same.exhibits).toMatchObject([{ outcome: "already-present", reference: "XYZ/7" }]);
    const differing = await upload(client.deps, ask([other], named), soon());
    expect(differing.failed).toMatchObject([{ code: "conflict.exists" }]);
  });

  it("leaves an upload alone that another living process runs", async () => {
    const file = await client.write("a.mp4", randomBytes(6 * partBytes));
    await breakOff(ask([file]), 4);
    const [job] = client.deps.journal.openJobs();
    const database = openSqlite(path.join(client.folder, "state", "journal.sqlite"));
    const pid = process.ppid;
    database.prepare("insert into claim values (?, ?, ?)").run(job?.id, pid, startOf(pid));
    await expect(upload(client.deps, ask([file]), soon())).rejects.toMatchObject({
      code: "conflict.locked",
    });
    database
      .prepare("update claim set id = ?")
      .run(client.deps.journal.filesOf(job?.id ?? "")[0]?.exhibitId);
    database.close();
    const { failed } = await upload(client.deps, ask([file]), soon());
    expect(failed).toMatchObject([{ code: "conflict.locked" }]);
    await expect(
      abortUpload(client.deps, { target: `${caseRef}:ABC/1` }, soon()),
    ).rejects.toMatchObject({ code: "conflict.locked" });
  });
});
