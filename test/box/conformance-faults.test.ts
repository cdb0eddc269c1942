import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { execPath } from "node:process";
import { fileURLToPath } from "node:url";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "@jest/globals";
import { Agent, fetch } from "undici";
import { Asking } from "../support/box/asking.ts";
import { startBox, type Box } from "../support/box/box.ts";
import { failure, gatewayPage, rateLimited, refusedToken } from "../support/box/http/faults.ts";

// Downloads, and what goes wrong on the way.

let box: Box;
let officer: Asking;

beforeAll(async () => {
  box = await startBox();
  officer = new Asking(box, box.users.officer);
});
afterAll(() => box.close());
afterEach(() => {
  expect(box.unsound).toEqual([]);
  expect(box.faults.pending).toBe(0);
});

describe("downloads", () => {
  test("are elsewhere, for a quarter of an hour, whole or in part, when the file is ready", async () => {
    box.settings.downloadNotReady = 1;
    const id = await officer.file("down.bin", "0123456789");
    box.settings.downloadNotReady = 0;
    const early = await officer.api("GET", `/files/${id}/content`);
    expect(early.status).toBe(202);
    expect(early.headers.get("retry-after")).toBe("1");
    const said = await officer.api("GET", `/files/${id}/content`);
    const url = said.headers.get("location") ?? "";
    expect(said.status).toBe(302);
    expect(url.startsWith(box.downloadUrl)).toBe(true);
    expect(await officer.at(url, "GET")).toMatchObject({ status: 200, text: "0123456789" });
    const part = (range: string) => officer.at(url, "GET", { headers: { range } });
    expect(await part("bytes=2-4")).toMatchObject({ status: 206, text: "234" });
    expect(await part("bytes=7-")).toMatchObject({ status: 206, text: "789" });
    expect(await part("bytes=-2")).toMatchObject({ status: 206, text: "89" });
    expect((await part("bytes=10-")).status).toBe(416);
    await box.clock.later(15 * 60_000 + 1, async () => {
      expect((await officer.at(url, "GET")).status).toBe(403);
    });
  });
});

describe("faults", () => {
  const path = /\/folders$/;
  const make = (name: string) =>
    officer.api("POST", "/folders", { json: { name, parent: { id: "0" } } });

  test.each([
    ["a limit", { answer: rateLimited(7) }, 429, false],
    ["a gateway's page", { answer: gatewayPage() }, 502, false],
    ["a token refused", { answer: refusedToken() }, 401, false],
    ["a 503 after the fact", { storeThenAnswer: failure(503, "unavailable", "Busy") }, 503, true],
  ])("%s", async (name, fault, status, stored) => {
    box.faults.next({ ...fault, path, method: "POST", times: 1 });
    const said = await make(name);
    expect(said.status).toBe(status);
    expect(said.headers.get("retry-after")).toBe(status === 429 ? "7" : undefined);
    expect(box.tree().has(name)).toBe(stored);
  });

  test.each([
    ["before", 0, false],
    ["after", "unanswered", true],
    ["within", "answer", true],
  ] as const)("a connection cut %s the answer", async (name, cut, stored) => {
    box.faults.next({ cut, path });
    await expect(make(`cut ${name}`)).rejects.toThrow();
    expect(box.tree().has(`cut ${name}`)).toBe(stored);
  });

  test("an echo that is wrong, an answer that drips, and one that waits", async () => {
    box.faults.next({
      alter: (answer) => ({ ...answer, json: { ...(answer.json as object), name: "other" } }),
      path,
    });
    expect((await make("echo")).json).toMatchObject({ name: "other" });
    box.faults.next({ drip: { bytes: 100, everyMs: 1 }, path });
    expect((await make("drip")).json).toMatchObject({ name: "drip" });
    const wait = new AbortController();
    const held = once(wait.signal, "abort");
    box.faults.next({ hold: held, path });
    const waiting = make("held");
    expect((await make("not held")).status).toBe(201);
    expect(box.tree().has("held")).toBe(false);
    wait.abort();
    expect((await waiting).status).toBe(201);
  });
});

describe("as a process of its own", () => {
  test("it says where it is, answers, and leaves nothing behind", async () => {
    const script = fileURLToPath(new URL("../../scripts/box-simulator.js", import.meta.url));
    const line = ["--tls", "--no-validate", "--part-size", "1000000"];
    const simulator = spawn(execPath, [script, ...line], { stdio: ["ignore", "pipe", "inherit"] });
    const ended = once(simulator, "exit");
    const [said] = (await once(simulator.stdout, "data")) as [Buffer];
    const at = JSON.parse(said.toString()) as Record<string, string>;
    const { caFile = "", developerToken = "", upload = "", folderId = "" } = at;
    const dispatcher = new Agent({ connect: { ca: await readFile(caFile, "utf8") } });
    const made = await fetch(`${upload}/api/2.0/files/upload_sessions`, {
      dispatcher,
      method: "POST",
      headers: { authorization: `Bearer ${developerToken}`, "content-type": "application/json" },
      body: JSON.stringify({ folder_id: folderId, file_name: "x", file_size: 25_000_000 }),
    });
    expect(await made.json()).toMatchObject({ part_size: 1_000_000, total_parts: 25 });
    await dispatcher.close();
    simulator.kill("SIGTERM");
    expect(await ended).toEqual([0, null]);
    await expect(readFile(caFile)).rejects.toMatchObject({ code: "ENOENT" });
  });
});
