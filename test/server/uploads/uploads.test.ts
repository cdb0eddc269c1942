import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdtemp, open, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, describe, expect, it } from "@jest/globals";
import { checkCustody } from "../../../src/evidence/custody.ts";
import { sha256Of } from "../../../src/evidence/digest.ts";
import type { Store, Upload } from "../../../src/evidence/ports/store.ts";
import { openDirectoryStore } from "../../../src/stores/directory/store.ts";
import { registerOf } from "../../../src/stores/server/register.ts";
import { storeOf } from "../../../src/stores/server/store.ts";
import { partsOf } from "../../contracts/store-under-test.ts";
import { bytesHeaders, keyIn, raw, reserved } from "../../support/sending.ts";
import {
  soon,
  startServer,
  type Person,
  type ServerOptions,
  type TestServer,
} from "../../support/server.ts";

const mib = 1024 * 1024;
const isRoot = process.getuid?.() === 0;

let server: TestServer | undefined;
afterEach(async () => {
  await server?.stop();
  server = undefined;
});

async function serve(options?: ServerOptions): Promise<TestServer> {
  return (server = await startServer(options));
}

function code(value: string): unknown {
  return expect.objectContaining({ code: value });
}

async function verbs(person: Person, id: string): Promise<string[]> {
  const [entry] = await registerOf(person.session).find({ kind: "id", id }, soon());
  if (entry === undefined) throw new Error("no such exhibit");
  return checkCustody(await registerOf(person.session).custody(entry, soon())).events.map(
    (event) => event.verb,
  );
}

describe("a server that stops", () => {
  it("leaves uploads as they are, and the same calls go on after it has started again", async () => {
    const running = await serve();
    const partner = await running.enrol("partner");
    const entry = await reserved(partner);
    const store = storeOf(partner.session);
    const content = randomBytes(5000);
    const parts = partsOf(content);
    const upload = await store.begin(keyIn(entry), content.length, 1000, soon());
    for (const part of parts.slice(0, 3)) await store.putPart(upload, part, soon());
    await running.restart();
    expect((await store.listParts(upload, soon())).map((part) => part.offset)).toEqual([
      0, 1000, 2000,
    ]);
    expect(await store.begin(keyIn(entry), content.length, 1000, soon())).toEqual(upload);
    for (const part of parts.slice(3)) await store.putPart(upload, part, soon());
    const stored = await store.complete(upload, { sha256: sha256Of(content) }, soon());
    expect(stored.proof).toBe("whole");
    expect(await verbs(partner, entry.id)).toEqual([
      "reserved",
      "upload-started",
      "received",
      "proved",
    ]);
  });

  it("goes on proving by itself what it was asked to prove", async () => {
    const running = await serve();
    const partner = await running.enrol("partner");
    const entry = await reserved(partner);
    const store = storeOf(partner.session);
    const content = randomBytes(3000);
    const upload = await store.begin(keyIn(entry), content.length, 1000, soon());
    for (const part of partsOf(content)) await store.putPart(upload, part, soon());
    // As a crash in the middle of the proof leaves it.
    await running.deps.database
      .updateTable("uploads")
      .set({ state: "proving", sha256: sha256Of(content) })
      .where("id", "=", upload.id)
      .execute();
    await running.restart();
    const path = `/v1/uploads/${upload.id}/complete`;
    const answer = await raw(partner, {
      method: "POST",
      path,
      body: { sha256: sha256Of(content) },
    });
    expect(answer.json).toMatchObject({ key: keyIn(entry), proof: "whole" });
    const again = await raw(partner, { method: "POST", path, body: { sha256: sha256Of(content) } });
    expect(again.json).toEqual(answer.json);
    const other = await raw(partner, { method: "POST", path, body: { sha256: sha256Of("x") } });
    expect(other.status).toBe(422);
    expect((await verbs(partner, entry.id)).filter((verb) => verb === "proved")).toHaveLength(1);
  });
});

describe("a proof that takes long", () => {
  /** A real store whose proofs wait for a gate. */
  async function slowStore(
    gate: Promise<void>,
  ): Promise<{ content: Store; remove: () => Promise<void> }> {
    const folder = await mkdtemp(path.join(tmpdir(), "exhibit-slow-"));
    const real = await openDirectoryStore(folder);
    const content: Store = {
      ...real,
      complete: async (upload, sha256, signal, onProved) => {
        onProved?.(1234);
        await gate;
        return real.complete(upload, sha256, signal, onProved);
      },
    };
    return { content, remove: () => rm(folder, { recursive: true }) };
  }

  it("is answered in time with how far it is, and its failure is told to whoever asks next", async () => {
    let open = (): void => undefined;
    const gate = new Promise<void>((resolve) => {
      open = resolve;
    });
    const { content, remove } = await slowStore(gate);
    const running = await serve({ deps: { content } });
    const partner = await running.enrol("partner");
    const entry = await reserved(partner);
    const store = storeOf(partner.session);
    const bytes = randomBytes(2000);
    const begun = async (ordinal: number): Promise<Upload> => {
      const upload = await store.begin(keyIn(entry, ordinal), bytes.length, 1000, soon());
      for (const part of partsOf(bytes)) await store.putPart(upload, part, soon());
      return upload;
    };
    const [good, bad] = [await begun(1), await begun(2)];
    const proved: number[] = [];
    const note = (provedBytes: number): void => {
      proved.push(provedBytes);
      if (proved.length === 2) open();
    };
    const [stored, failed] = await Promise.allSettled([
      store.complete(good, { sha256: sha256Of(bytes) }, soon(), note),
      store.complete(bad, { sha256: sha256Of("other") }, soon(), note),
    ]);
    expect(proved).toEqual([1234, 1234]);
    expect(stored).toMatchObject({ value: { sha256: sha256Of(bytes), proof: "whole" } });
    expect(failed).toMatchObject({ reason: code("integrity.mismatch") });
    expect(await store.stat(bad.key, soon())).toBeUndefined();
    await store.complete(bad, { sha256: sha256Of(bytes) }, soon());
    await remove();
  });
});

describe("a quota", () => {
  it("is charged once however often an upload is asked for, refused when it is used up, and given back", async () => {
    const running = await serve();
    const partner = await running.enrol("partner", { quotaBytes: 10_000 });
    const used = async (): Promise<unknown> =>
      (await raw(partner, { method: "GET", path: "/v1/identities/me" })).json["usedBytes"];
    const entry = await reserved(partner, { sourceId: "one", totalBytes: 6000 });
    await reserved(partner, { sourceId: "one", totalBytes: 6000 });
    expect(await used()).toBe(6000);
    await expect(reserved(partner, { totalBytes: 6000 })).rejects.toEqual(code("policy.quota"));
    const store = storeOf(partner.session);
    const bytes = randomBytes(6000);
    await store.put(keyIn(entry), bytes, sha256Of(bytes), soon());
    // More than was reserved counts, too.
    await expect(store.put(keyIn(entry, 2), bytes, sha256Of(bytes), soon())).rejects.toEqual(
      code("policy.quota"),
    );
    await expect(store.begin(keyIn(entry, 2), 6000, 1000, soon())).rejects.toEqual(
      code("policy.quota"),
    );
    const upload = await store.begin(keyIn(entry, 2), 4000, 1000, soon());
    expect(await used()).toBe(10_000);
    await store.abort(upload, soon());
    expect(await used()).toBe(6000);
  });
});

describe("an upload that nothing is heard of", () => {
  it("is aborted by the server after its time, and one that is heard of is not", async () => {
    const running = await serve();
    const partner = await running.enrol("partner");
    const entry = await reserved(partner);
    const store = storeOf(partner.session);
    const silent = await store.begin(keyIn(entry, 1), 1000, 1000, soon());
    const spoken = await store.begin(keyIn(entry, 2), 2000, 1000, soon());
    const nearlyOver = new Date(Date.now() + 1).toISOString();
    await running.deps.database.updateTable("uploads").set({ expires_at: nearlyOver }).execute();
    const [part] = partsOf(randomBytes(2000));
    if (part === undefined) throw new Error("too few parts");
    await store.putPart(spoken, part, soon());
    await running.restart();
    await until(async () => (await verbs(partner, entry.id)).includes("upload-aborted"));
    expect((await store.uploads(soon())).map((one) => one.id)).toEqual([spoken.id]);
    await expect(store.listParts(silent, soon())).rejects.toEqual(code("not-found.upload"));
    expect(await readdir(path.join(running.folder, "content", ".uploads"))).toHaveLength(1);
  });
});

describe("a part", () => {
  it("is read by the proof from the disk: a byte that changes there is found", async () => {
    const running = await serve();
    const partner = await running.enrol("partner");
    const entry = await reserved(partner);
    const store = storeOf(partner.session);
    const content = randomBytes(3000);
    const parts = partsOf(content);
    const upload = await store.begin(keyIn(entry), 3000, 1000, soon());
    const uploads = path.join(running.folder, "content", ".uploads");
    const [name] = await readdir(uploads);
    for (const part of parts.slice(1)) await store.putPart(upload, part, soon());
    const file = await open(path.join(uploads, name ?? "", "content"), "r+");
    await file.write(Buffer.from("x"), 0, 1, 1500);
    await file.write(Buffer.from("y"), 0, 1, 1500);
    await file.close();
    for (const part of parts.slice(0, 1)) await store.putPart(upload, part, soon());
    await expect(store.complete(upload, { sha256: sha256Of(content) }, soon())).rejects.toEqual(
      code("integrity.mismatch"),
    );
    for (const part of parts) await store.putPart(upload, part, soon());
    expect(await store.complete(upload, { sha256: sha256Of(content) }, soon())).toMatchObject({
      sizeBytes: 3000,
    });
  });

  it("comes with a new token when the server no longer takes the one that it had", async () => {
    const running = await serve();
    const partner = await running.enrol("partner");
    const entry = await reserved(partner);
    const fresh = await partner.session.accessToken(soon());
    const old = `${fresh.slice(0, -8)}AAAAAAAA`;
    const { url, pace, stallMs, statement, clientId, signer, clockOffsetMs } = partner.session;
    let token = old;
    const store = storeOf({
      ...{ url, pace, stallMs, statement, clientId, signer, clockOffsetMs },
      routeTo: (to) => partner.session.routeTo(to),
      call: (call, signal) => partner.session.call(call, signal),
      accessToken: () => Promise.resolve(token),
      askAgain: () => Promise.resolve(),
      dropToken: (dropped) => {
        if (dropped === old) token = fresh;
      },
    });
    const bytes = randomBytes(10);
    await store.put(keyIn(entry), bytes, sha256Of(bytes), soon());
    expect(token).toBe(fresh);
    expect(await store.stat(keyIn(entry), soon())).toMatchObject({ sizeBytes: 10 });
  });
});

(isRoot ? it : it.skip)(
  "tells a full disk without telling its path, keeps what has arrived, and goes on once there is room",
  async () => {
    const disk = await mkdtemp(path.join(tmpdir(), "exhibit-full-"));
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=8m", "tmpfs", disk]);
    try {
      const running = await serve({ deps: { content: await openDirectoryStore(disk) } });
      const partner = await running.enrol("partner");
      const entry = await reserved(partner, { totalBytes: 4 * mib });
      const store = storeOf(partner.session);
      const content = randomBytes(3 * mib);
      const [first, second, third] = partsOf(content, mib);
      if (first === undefined || second === undefined || third === undefined) throw new Error();
      const upload = await store.begin(keyIn(entry), content.length, mib, soon());
      await store.putPart(upload, first, soon());
      await writeFile(path.join(disk, "filler"), Buffer.alloc(8 * mib)).catch(() => undefined);
      const answer = await raw(partner, {
        method: "PUT",
        path: `/v1/uploads/${upload.id}/parts/${mib}`,
        headers: bytesHeaders(second.bytes),
        body: Buffer.from(second.bytes),
      });
      expect(answer.status).toBe(507);
      expect(answer.text).not.toContain(disk);
      await rm(path.join(disk, "filler"));
      await store.putPart(upload, second, soon());
      await store.putPart(upload, third, soon());
      await store.complete(upload, { sha256: sha256Of(content) }, soon());
      execFileSync("mount", ["-o", "remount,ro", disk]);
      const other = await raw(partner, {
        method: "PUT",
        path: `/v1/content/${keyIn(entry, 2)}`,
        headers: bytesHeaders(Buffer.from("x")),
        body: Buffer.from("x"),
      });
      expect(other.status).toBe(503);
      expect(other.text).not.toContain(disk);
    } finally {
      await server?.stop();
      server = undefined;
      execFileSync("umount", [disk]);
      await rm(disk, { recursive: true });
    }
  },
);

/** Waits for something that happens in the background, asking the server itself each time. */
async function until(happened: () => Promise<boolean>): Promise<void> {
  const end = Date.now() + 20_000;
  while (!(await happened())) {
    if (Date.now() > end) throw new Error("It did not happen.");
  }
}
