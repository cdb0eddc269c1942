import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "@jest/globals";
import { randomBytes } from "node:crypto";
import { readFile } from "node:fs/promises";
import { buffer } from "node:stream/consumers";
import { sha256Of } from "../../src/evidence/digest.ts";
import type { Store, Upload } from "../../src/evidence/ports/store.ts";
import { boxLimits } from "../../src/stores/box/capabilities.ts";
import { Files } from "../../src/stores/box/files.ts";
import { findNote, writeNote } from "../../src/stores/box/notes.ts";
import { begun, code, digestsOf, type Subject } from "../contracts/store-under-test.ts";
import { startBox, type Box } from "../support/box/box.ts";
import { failure, gatewayPage } from "../support/box/http/faults.ts";
import { boxFolder, unhurried, type BoxFolder } from "../support/box-store.ts";
import { countedStore } from "../support/counted.ts";
import { carry, key, makeRig, sha256, type TransferRig } from "../support/transfer-rig.ts";

const { signal } = new AbortController();
const day = 24 * 3600 * 1000;
const partBytes = 64 * 1024;
const small = { ...unhurried, maxPutBytes: 100 * 1024, minUploadBytes: 100 * 1024 + 1 };

let box: Box;
beforeAll(async () => {
  box = await startBox();
});
afterAll(() => box.close());

let folder: BoxFolder;
let store: Store;
let rig: TransferRig;
let runs = 0;
/** Opens a folder of its own; parts are as long as Box really makes them, or short. */
function openFolder(limits = small, user = box.users.officer): void {
  runs += 1;
  folder = boxFolder(box, `Uploads ${runs}`, { limits, user });
  store = countedStore(folder.open());
}
beforeEach(async () => {
  rig = await makeRig();
  Object.assign(box.settings, { minimumSessionBytes: 1, partBytes });
  openFolder();
});
afterEach(async () => {
  box.faults.clear();
  expect([box.ourViolations, box.unsound]).toEqual([[], []]);
  await rig.close();
  await folder.close();
});

async function bring(location: string, more: { readonly signal?: AbortSignal } = {}) {
  const through = Object.create(rig, { store: { value: store } }) as TransferRig;
  return carry(through, location, { partBytes: 8 * 1024 * 1024, concurrency: 4, ...more });
}

/** How often Box was asked for something since. */
function asked(since: number, method: string, path: RegExp): number {
  return box.requests.slice(since).filter((one) => one.method === method && path.test(one.path))
    .length;
}

describe("files of real sizes, as Box really takes them", () => {
  it.each([
    ["no byte at all", 0, "whole", 6],
    ["19,999,999 bytes", 19_999_999, "whole", 6],
    ["20,000,000 bytes", 20_000_000, "whole", 8],
    ["50,000,000 bytes", 50_000_000, "whole", 8],
    ["50,000,001 bytes", 50_000_001, "session", 8],
    ["exactly seven parts", 7 * 8 * 1024 * 1024, "session", 8],
    ["exactly six parts of another length", 60 * 1024 * 1024, "session", 10],
  ] as const)("%s", async (_, size, how, partMiB) => {
    Object.assign(box.settings, {
      minimumSessionBytes: 20_000_000,
      partBytes: partMiB * 1024 ** 2,
    });
    openFolder(boxLimits);
    const location = await rig.write("x.mp4", size);
    const since = box.requests.length;
    const done = await bring(location);
    expect(done).toMatchObject({ sizeBytes: size, proof: "transport", bytesSent: size });
    expect(done.kept).toMatchObject({ noOverwrite: "unique-name" });
    const content = await readFile(location);
    expect(done.kept?.checksums).toEqual({ sha1: digestsOf(content).sha1 });
    expect(sha256(await buffer(await store.open(key, undefined, signal)))).toBe(done.sha256);
    const parts = how === "session" ? Math.ceil(size / (partMiB * 1024 ** 2)) : 0;
    expect(asked(since, "PUT", /upload_sessions/)).toBe(parts);
    // Parts go where Box said, not where we might have guessed.
    const hosts = box.requests.slice(since).filter(({ method }) => method === "PUT");
    expect(new Set(hosts.map(({ host }) => host))).toEqual(new Set(parts > 0 ? ["session"] : []));
  });
});

describe("an upload that was broken off", () => {
  /** Sends four of eight parts, and loses what this computer knew of it if so told. */
  async function halfSent(lost: boolean): Promise<string> {
    const location = await rig.write("x.mp4", 8 * partBytes);
    const stop = new AbortController();
    let parts = 0;
    const counted = countedStore(folder.open());
    counted.beforePart = () => {
      parts += 1;
      if (parts > 4) stop.abort(new Error("stopped by the test"));
    };
    store = counted;
    await expect(bring(location, { signal: stop.signal })).rejects.toThrow("stopped by the test");
    if (lost) await rig.reopen("journal");
    store = countedStore(folder.open());
    return location;
  }

  it.each([
    ["by another process", false],
    ["by a computer that lost its state", true],
  ])("goes on %s", async (_, lost) => {
    const location = await halfSent(lost);
    const done = await bring(location);
    expect(done.bytesSkipped).toBeGreaterThanOrEqual(4 * partBytes);
    expect(done.bytesSent + done.bytesSkipped).toBe(8 * partBytes);
  });

  it.each<[string, (location: string) => Promise<void> | void]>([
    ["expired after 7 days", () => void (box.clock.aheadMs += 7 * day + 1000)],
    [
      "aborted by somebody else",
      async () => {
        for (const upload of await store.uploads(signal)) await store.abort(upload, signal);
      },
    ],
    [
      "given up by Box",
      () => {
        const answer = failure(410, "upload_failed", "Unrecoverable");
        box.faults.next({ method: "GET", path: /upload_sessions\/\w+$/, answer });
      },
    ],
  ])("begins afresh where it was %s", async (_, happens) => {
    const location = await halfSent(false);
    await happens(location);
    const done = await bring(location);
    expect(done).toMatchObject({ bytesSent: 8 * partBytes, bytesSkipped: 0, proof: "transport" });
    expect(await store.uploads(signal)).toEqual([]);
  });

  async function withoutFolder(): Promise<void> {
    const path = `Uploads ${runs}/${key.slice(0, key.indexOf("/"))}`;
    const to = `/2.0/folders/${box.tree().get(path)?.id ?? ""}`;
    const removed = await folder
      .api()
      .ask({ method: "DELETE", to, query: { recursive: "true" } }, signal);
    expect(removed.status).toBe(204);
  }

  it("sends nothing more into a folder that was taken away, and begins afresh in a new one", async () => {
    const before = box.world.sessions.open.size;
    const location = await halfSent(false);
    await withoutFolder();
    const since = box.requests.length;
    expect(await bring(location)).toMatchObject({ bytesSent: 8 * partBytes, bytesSkipped: 0 });
    expect(asked(since, "PUT", /upload_sessions/)).toBe(8);
    expect(box.world.sessions.open.size).toBe(before);
  });

  it("goes whole into a folder that is made anew, with what lay above it", async () => {
    const bytes = randomBytes(10);
    await store.put(key, bytes, sha256Of(bytes), signal);
    await withoutFolder();
    expect(await store.put(key, bytes, sha256Of(bytes), signal)).toMatchObject({ sizeBytes: 10 });
  });

  it("is told when its folder is taken away before the whole is put together, and leaves nothing behind", async () => {
    const before = box.world.sessions.open.size;
    const content = randomBytes(3 * partBytes);
    const subject = { store, partBytes, made: { newKey: () => key } } as unknown as Subject;
    const { upload, parts } = await begun(subject, content);
    for (const part of parts) await store.putPart(upload, part, signal);
    await withoutFolder();
    await expect(store.complete(upload, digestsOf(content), signal)).rejects.toMatchObject({
      code: "not-found.upload",
      message: expect.stringContaining("folder") as unknown,
    });
    expect(box.world.sessions.open.size).toBe(before);
    expect(await bring(await rig.write("x.mp4", content))).toMatchObject({ bytesSkipped: 0 });
  });

  it("is no other user's to go on with: that one begins afresh", async () => {
    const location = await halfSent(false);
    const since = box.requests.length;
    const other = boxFolder(box, `Uploads ${runs}`, { limits: small, user: box.users.admin });
    const shared = await folder.api().ask(
      {
        method: "POST",
        to: "/2.0/collaborations",
        json: {
          item: { type: "folder", id: box.folder(box.users.officer, `Uploads ${runs}`) },
          accessible_by: { type: "user", id: box.users.admin.id },
          role: "editor",
        },
      },
      signal,
    );
    expect(shared.status).toBe(201);
    store = countedStore(other.open());
    const done = await bring(location);
    expect(done.bytesSent).toBe(8 * partBytes);
    expect(asked(since, "POST", /upload_sessions$/)).toBe(1);
    await other.close();
  });

  it("refuses a source that has changed since", async () => {
    const location = await halfSent(false);
    await rig.write("x.mp4", randomBytes(8 * partBytes));
    await expect(bring(location)).rejects.toEqual(code("integrity.source-changed"));
  });

  it("is found finished when only its answer was lost", async () => {
    const content = randomBytes(3 * partBytes);
    const subject = { store, partBytes, made: { newKey: () => key } } as unknown as Subject;
    const { upload, parts } = await begun(subject, content);
    for (const part of parts) await store.putPart(upload, part, signal);
    const first = await store.complete(upload, digestsOf(content), signal);
    const since = box.requests.length;
    expect(await folder.open().complete(upload, digestsOf(content), signal)).toEqual(first);
    expect(asked(since, "GET", /content$/)).toBe(0);
  });
});

describe("a session that Box says is under way already", () => {
  beforeEach(() => {
    box.settings.sessionConflicts = true;
  });
  afterEach(() => {
    box.settings.sessionConflicts = false;
  });

  it("is gone on with where its note was never written, as nothing was sent", async () => {
    box.faults.next({ method: "POST", path: /upload_sessions$/, cut: "unanswered" });
    const location = await rig.write("x.mp4", 3 * partBytes);
    await bring(location);
    expect(box.faults.pending).toBe(0);
  });

  it("is not ours where parts of somebody's lie in it", async () => {
    const content = randomBytes(3 * partBytes);
    const subject = { store, partBytes, made: { newKey: () => key } } as unknown as Subject;
    const { first, upload } = await begun(subject, content);
    await store.putPart(upload, first, signal);
    const note =
      [...box.tree()].find(([path]) => path.startsWith(`Uploads ${runs}/.uploads/`))?.[1].id ?? "";
    const removed = await folder.api().ask({ method: "DELETE", to: `/2.0/files/${note}` }, signal);
    expect(removed.status).toBe(204);
    await expect(folder.open().begin(key, content.byteLength, partBytes, signal)).rejects.toEqual(
      code("conflict.unfinished"),
    );
  });
});

it("an upload is not forgotten because a proxy forbids to ask for it", async () => {
  const begin = (): Promise<Upload> => folder.open().begin(key, 3 * partBytes, partBytes, signal);
  const { id } = await begin();
  box.faults.next({ method: "GET", path: /upload_sessions\/\w+$/, answer: gatewayPage(403) });
  await expect(begin()).rejects.toEqual(code("unavailable.store"));
  expect(box.faults.pending).toBe(0);
  expect((await begin()).id).toBe(id);
});

describe("a note that leads elsewhere", () => {
  it("is not followed: whoever may write there would be given our token", async () => {
    const content = randomBytes(3 * partBytes);
    const upload = await store.begin(key, content.byteLength, partBytes, signal);
    const files = new Files(folder.api());
    const found = await findNote(files, upload, signal);
    if (found === undefined) throw new Error("The upload has a note.");
    await files.remove(found.fileId, signal);
    const away = Object.fromEntries(
      Object.keys(found.note.endpoints).map((name) => [name, "https://upload.example/2.0/x"]),
    ) as typeof found.note.endpoints;
    await writeNote(files, { ...found.note, endpoints: away }, signal);
    expect(await folder.open().uploads(signal)).toEqual([]);
    const follow: ((store: Store) => Promise<unknown>)[] = [
      (anew) => anew.begin(key, content.byteLength, partBytes, signal),
      (anew) => anew.listParts(upload, signal),
      (anew) => anew.abort(upload, signal),
    ];
    for (const one of follow) {
      await expect(one(folder.open())).rejects.toEqual(code("integrity.mismatch"));
    }
  });
});

describe("the same content again", () => {
  it("is there already, and sent by nobody", async () => {
    const location = await rig.write("x.mp4", 4 * partBytes);
    await bring(location);
    await rig.reopen("journal");
    const since = box.requests.length;
    const again = await bring(location);
    expect(again).toMatchObject({ bytesSent: 0, bytesSkipped: 4 * partBytes, proof: "transport" });
    expect(asked(since, "PUT", /./)).toBe(0);
    // Box's SHA-1 tells: not a byte is read back.
    expect(asked(since, "GET", /content$/)).toBe(0);
  });

  it("is a new version of nothing: other content is refused", async () => {
    const bytes = randomBytes(10);
    await store.put(key, bytes, sha256Of(bytes), signal);
    const other = randomBytes(10);
    await expect(store.put(key, other, sha256Of(other), signal)).rejects.toEqual(
      code("conflict.exists"),
    );
  });
});
