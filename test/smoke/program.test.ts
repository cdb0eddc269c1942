import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { readdir, rm } from "node:fs/promises";
import path from "node:path";
import { setTimeout as aMoment } from "node:timers/promises";
import { pathToFileURL } from "node:url";
import "../../src/stores/directory/store.ts";
import "../../src/stores/paced-store.ts";
import "../../src/stores/keyed-smoke.ts";
import "../../src/stores/server/connection.ts";
import { newMachine, type Machine } from "../support/cli.ts";
import { finish, start } from "../support/built-program.ts";
import { startServer, type TestServer } from "../support/server.ts";

let server: TestServer;
let machine: Machine;

beforeAll(async () => {
  server = await startServer();
  machine = await newMachine();
  const input = await server.invite("officer");
  await machine.exhibit(["login", server.url, "--invite-stdin"], { input });
});
afterAll(async () => {
  await server.stop();
  await rm(machine.folder, { recursive: true });
});

describe("exhibit smoke", () => {
  it("gives one document with a time for each step, and exit code 0", async () => {
    const child = start(machine.folder, ["smoke", "--json"], machine.env);
    const { code, out, err } = await finish(child);
    expect([code, err]).toEqual([0, ""]);
    const document = JSON.parse(out) as Record<string, unknown>;
    expect(document).toMatchObject({ schema: "exhibit.smoke/1", ok: true, store: "local" });
    expect(document["steps"]).toHaveLength(10);
    expect(out).not.toMatch(/\/s\/[A-Za-z0-9_-]{10}/);
  });

  it("says to a person what was done", async () => {
    const ran = await machine.exhibit(["smoke", "local"]);
    expect(ran.code).toBe(0);
    expect(ran.out).toMatch(/^sign-in +ok +\d+\n/);
    expect(ran.err).toContain("nothing is left");
  });

  it.each([
    ["a store that is not there", ["smoke", "nowhere", "--json"], 5, "not-found.store"],
    ["a duration that is none", ["smoke", "--timeout", "soon", "--json"], 2, "usage.invalid"],
  ])("refuses %s", async (_what, argv, code, told) => {
    const ran = await machine.exhibit(argv);
    expect([ran.code, ran.out]).toEqual([code, ""]);
    expect(JSON.parse(ran.err)).toMatchObject({ code: told });
  });

  it.each([
    ["nobody listens", "http://127.0.0.1:9", 4, "auth.required"],
    ["a folder is not there", pathToFileURL("/nowhere/at/all").href, 7, "unavailable.store"],
  ])("fails with its own exit code where %s", async (_what, url, code, told) => {
    const ran = await machine.exhibit(["smoke", url, "--json"]);
    expect(ran.json()).toMatchObject({ ok: false, failure: { code: told } });
    expect(ran.code).toBe(code);
  });

  it("leaves nothing behind at a Ctrl-C, and says so", async () => {
    const child = start(machine.folder, ["smoke", "--json"], machine.env);
    const begun = server.deps.database;
    for (;;) {
      const rows = await begun
        .selectFrom("smokes")
        .select("serial")
        .where("erased_at", "is", null)
        .execute();
      if (rows.length > 0) break;
      await aMoment(2);
    }
    child.kill("SIGINT");
    const { code, out, err } = await finish(child);
    expect([code, out]).toEqual([130, ""]);
    expect(JSON.parse(err)).toMatchObject({ code: "interrupted" });
    expect(await begun.selectFrom("exhibits").selectAll().execute()).toEqual([]);
    const content = await readdir(path.join(server.folder, "content"));
    expect(content.filter((name) => name !== ".uploads")).toEqual([]);
  });
});
