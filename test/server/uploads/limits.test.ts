import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { digestField, sha256Of } from "../../../src/evidence/digest.ts";
import { ExhibitError } from "../../../src/evidence/errors.ts";
import type { Store } from "../../../src/evidence/ports/store.ts";
import { contentInWords } from "../../../src/server/content/content-in-words.ts";
import { expireUploads } from "../../../src/server/uploads/expire-uploads.ts";
import { openDirectoryStore } from "../../../src/stores/directory/store.ts";
import { storeOf } from "../../../src/stores/server/store.ts";
import { partsOf } from "../../contracts/store-under-test.ts";
import { MovingClock } from "../../support/moving-clock.ts";
import { bytesHeaders, keyIn, raw, recordOf, reserved } from "../../support/sending.ts";
import { soon, startServer, type Person, type TestServer } from "../../support/server.ts";

const hour = 3_600_000;
const clock = new MovingClock();

let server: TestServer;
beforeAll(async () => {
  server = await startServer({ clock });
});
afterAll(() => server.stop());

function code(value: string): unknown {
  return expect.objectContaining({ code: value });
}

async function usedBy(person: Person): Promise<unknown> {
  return (await raw(person, { method: "GET", path: "/v1/identities/me" })).json["usedBytes"];
}

/** What the server's sweeper does, as if it ran `ms` later. */
function sweep(ms: number): Promise<void> {
  return clock.later(ms, () => expireUploads(server.deps, soon()));
}

describe("a key", () => {
  it("is on its way with one size at a time, so that all that comes counts against the quota", async () => {
    const partner = await server.enrol("partner", { quotaBytes: 10_000 });
    const entry = await reserved(partner, { totalBytes: 1 });
    const store = storeOf(partner.session);
    const sizes = [8000, 8001, 8002, 8003];
    const begun = await Promise.allSettled(
      sizes.map((size) => store.begin(keyIn(entry), size, 1000, soon())),
    );
    const refused = begun.filter((one) => one.status === "rejected");
    expect(refused.map((one) => one.reason as unknown)).toEqual(
      Array.from({ length: 3 }, () => code("conflict.unfinished")),
    );
    const bytes = randomBytes(10);
    await expect(store.put(keyIn(entry), bytes, sha256Of(bytes), soon())).rejects.toEqual(
      code("conflict.unfinished"),
    );
    const [unfinished, ...others] = await store.uploads(soon());
    if (unfinished === undefined) throw new Error("none was begun");
    expect(others).toEqual([]);
    expect(await server.deps.content.uploads(soon())).toHaveLength(1);
    expect(await usedBy(partner)).toBe(unfinished.sizeBytes);
    // The source has another size now: once the old upload is aborted, it may come.
    await store.abort(unfinished, soon());
    await store.begin(keyIn(entry), 9000, 1000, soon());
    expect(await usedBy(partner)).toBe(9000);
  });
});

describe("sealing", () => {
  it("is refused while an upload into the exhibit is unfinished", async () => {
    const partner = await server.enrol("partner");
    const entry = await reserved(partner, { sourceId: "unfinished" });
    const store = storeOf(partner.session);
    const bytes = randomBytes(1000);
    await store.put(keyIn(entry), bytes, sha256Of(bytes), soon());
    const upload = await store.begin(keyIn(entry, 2), 1000, 1000, soon());
    const record = await recordOf(partner, entry, "unfinished", [{ key: keyIn(entry), bytes }]);
    const seal = () =>
      raw(partner, { method: "PUT", path: `/v1/exhibits/${entry.id}/record`, body: { record } });
    const answer = await seal();
    expect([answer.status, answer.json["code"]]).toEqual([409, "conflict.unfinished"]);
    await store.abort(upload, soon());
    expect((await seal()).status).toBe(200);
  });
});

describe("a proof that failed unasked", () => {
  it("is forgotten when what was missing arrives", async () => {
    const partner = await server.enrol("partner");
    const entry = await reserved(partner);
    const store = storeOf(partner.session);
    const content = randomBytes(2000);
    const [first, second] = partsOf(content);
    if (first === undefined || second === undefined) throw new Error("too few parts");
    const upload = await store.begin(keyIn(entry), content.length, 1000, soon());
    await store.putPart(upload, first, soon());
    // As a crash leaves it: asked to prove, and a part was lost.
    await server.deps.database
      .updateTable("uploads")
      .set({ state: "proving", sha256: sha256Of(content) })
      .where("id", "=", upload.id)
      .execute();
    await server.restart();
    const state = async (): Promise<unknown> =>
      (await raw(partner, { method: "GET", path: `/v1/uploads/${upload.id}` })).json["state"];
    const end = Date.now() + 20_000;
    while ((await state()) !== "receiving") expect(Date.now()).toBeLessThan(end);
    await store.putPart(upload, second, soon());
    expect(await store.complete(upload, { sha256: sha256Of(content) }, soon())).toMatchObject({
      sizeBytes: 2000,
    });
  });
});

describe("senders that stop in the middle of large parts", () => {
  it("hold up nobody else", async () => {
    const [slow, other] = [await server.enrol("partner"), await server.enrol("partner")];
    const largest = server.deps.content.capabilities.parts.maxBytes;
    const senders = 8;
    const upload = await storeOf(slow.session).begin(
      keyIn(await reserved(slow)),
      senders * largest,
      largest,
      soon(),
    );
    const token = await slow.session.accessToken(soon());
    const { hostname, port } = new URL(server.url);
    const sockets = Array.from({ length: senders }, () => connect(Number(port), hostname));
    await Promise.all(
      sockets.map(async (socket, index) => {
        socket.on("error", () => undefined);
        // What the server says to this shows that it has read the head.
        const isRead = once(socket, "data");
        socket.write(
          `PUT /v1/uploads/${upload.id}/parts/${index * largest} HTTP/1.1\r\nhost: x\r\n` +
            `authorization: Bearer ${token}\r\ncontent-type: application/octet-stream\r\n` +
            `content-length: ${largest}\r\ncontent-digest: ${digestField(sha256Of("x"))}\r\n` +
            `expect: 100-continue\r\n\r\n`,
        );
        await isRead;
        socket.write("x");
      }),
    );
    const entry = await reserved(other);
    const store = storeOf(other.session);
    const [part] = partsOf(randomBytes(1000));
    if (part === undefined) throw new Error("too few parts");
    const small = await store.begin(keyIn(entry), 1000, 1000, soon());
    await store.putPart(small, part, AbortSignal.timeout(5000));
    for (const socket of sockets) socket.destroy();
  });
});

describe("the disk's trouble", () => {
  const folderTold = async (use: (store: Store) => Promise<unknown>, store: Store) => {
    const error = await use(contentInWords(store)).catch((thrown: unknown) => thrown);
    if (!(error instanceof ExhibitError)) throw new Error("nothing was refused");
    return { code: error.code, told: `${error.message} ${error.hint ?? ""}` };
  };

  it("is told without paths, whether it is found while listing or is a busy file", async () => {
    const folder = await mkdtemp(path.join(tmpdir(), "exhibit-words-"));
    const store = await openDirectoryStore(folder);
    await rm(folder, { recursive: true });
    await writeFile(folder, "a file where the folder was");
    const listed = await folderTold(
      (one) => one.list("", soon())[Symbol.asyncIterator]().next(),
      store,
    );
    expect(listed.code).toBe("unavailable.store");
    expect(listed.told).not.toContain(folder);
    const busy = await folderTold((one) => one.stat("a", soon()), {
      ...store,
      stat: () =>
        Promise.reject(new ExhibitError("unavailable.busy", `The store at ${folder} is busy.`)),
    });
    expect(busy.code).toBe("unavailable.busy");
    expect(busy.told).not.toContain(folder);
    await rm(folder);
  });
});

describe("what was charged for content that does not come", () => {
  it("is given back at once when a file is refused", async () => {
    const partner = await server.enrol("partner", { quotaBytes: 10_000 });
    const entry = await reserved(partner, { totalBytes: 100 });
    const answer = await raw(partner, {
      method: "PUT",
      path: `/v1/content/${keyIn(entry)}`,
      headers: bytesHeaders(Buffer.from("other bytes")),
      body: randomBytes(9000),
    });
    expect(answer.status).toBe(422);
    expect(await usedBy(partner)).toBe(100);
  });

  it("is given back after the time of an upload when it was only reserved, and charged again when it is asked for", async () => {
    const partner = await server.enrol("partner", { quotaBytes: 10_000 });
    const again = () => reserved(partner, { sourceId: "only reserved", totalBytes: 9000 });
    await again();
    await sweep(13 * 24 * hour);
    expect(await usedBy(partner)).toBe(9000);
    await sweep(15 * 24 * hour);
    expect(await usedBy(partner)).toBe(0);
    await again();
    expect(await usedBy(partner)).toBe(9000);
  });

  it("keeps its place on the disk for six hours when no part of it comes, and longer when one does", async () => {
    const partner = await server.enrol("partner");
    const entry = await reserved(partner);
    const store = storeOf(partner.session);
    await store.begin(keyIn(entry, 1), 2000, 1000, soon());
    const begun = await store.begin(keyIn(entry, 2), 2000, 1000, soon());
    const [part] = partsOf(randomBytes(2000));
    if (part === undefined) throw new Error("too few parts");
    await store.putPart(begun, part, soon());
    await sweep(5 * hour);
    expect(await store.uploads(soon())).toHaveLength(2);
    await sweep(7 * hour);
    expect((await store.uploads(soon())).map((one) => one.id)).toEqual([begun.id]);
    // Asked for again, as after a restart, it keeps the time that the part gave it.
    await store.begin(keyIn(entry, 2), 2000, 1000, soon());
    await sweep(7 * hour);
    expect(await store.uploads(soon())).toHaveLength(1);
  });
});
