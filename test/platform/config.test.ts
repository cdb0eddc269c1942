import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { helpTopics } from "../../src/cli/help-topics.ts";
import { loadConfig, saveConfig } from "../../src/platform/config.ts";
import { pathsOn } from "../../src/platform/paths.ts";
import { settingOrigins, settle } from "../../src/platform/settings.ts";
import { StoreBook } from "../../src/platform/store-book.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "exhibit-config-"));
});
afterAll(() => rm(folder, { recursive: true }));

const empty = { schema: "exhibit.config/1", writtenBy: "1.2.0", stores: {} } as const;

describe("places", () => {
  it.each([
    ["linux", {}, "/home/jo/.config/exhibit/config.json", "/home/jo/.local/state/exhibit"],
    [
      "linux",
      { XDG_CONFIG_HOME: "/c", XDG_STATE_HOME: "/s" },
      "/c/exhibit/config.json",
      "/s/exhibit",
    ],
    [
      "linux",
      { XDG_CONFIG_HOME: "relative" },
      "/home/jo/.config/exhibit/config.json",
      "/home/jo/.local/state/exhibit",
    ],
    [
      "darwin",
      {},
      "/home/jo/Library/Application Support/exhibit/config/config.json",
      "/home/jo/Library/Application Support/exhibit/state",
    ],
    [
      "win32",
      { LOCALAPPDATA: "/jo/Local" },
      "/jo/Local/exhibit/config/config.json",
      "/jo/Local/exhibit/state",
    ],
    [
      "linux",
      { EXHIBIT_CONFIG_DIR: "/mine/c", EXHIBIT_STATE_DIR: "/mine/s" },
      "/mine/c/config.json",
      "/mine/s",
    ],
  ] as const)("on %s with %j are %s and %s", (platform, env, configFile, stateDir) => {
    const paths = pathsOn({ platform, home: "/home/jo", env });
    expect([paths.configFile, paths.stateDir]).toEqual([configFile, stateDir]);
  });
});

describe("the configuration file", () => {
  it("is empty when there is none", async () => {
    const loaded = await loadConfig(path.join(folder, "none.json"), "1.2.0");
    expect(loaded).toEqual({ config: empty, warnings: [] });
  });

  it("is written whole, for its owner alone, and read back", async () => {
    const file = path.join(folder, "deep", "config.json");
    const config = { ...empty, stores: { met: "https://met.example" }, defaultStore: "met" };
    await saveConfig(file, config, "1.2.0");
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect((await stat(path.dirname(file))).mode & 0o777).toBe(0o700);
    expect((await loadConfig(file, "1.2.0")).config).toEqual(config);
  });

  it.each([
    [
      '{"schema":"exhibit.config/1","writtenBy":"1.2.0","concurency":4}',
      'unknown setting "concurency"',
    ],
    ['{"schema":"exhibit.config/2","writtenBy":"1.2.0"}', "schema"],
    ['{"schema":"exhibit.config/1","writtenBy":"9.0.0","stores":[]}', "stores"],
    [
      '{"schema":"exhibit.config/1","writtenBy":"1.2.0","stores":{"a b":"https://x"}}',
      "short name",
    ],
    ["{", "is not JSON"],
  ])("is refused as %s", async (text, words) => {
    const file = path.join(folder, "bad.json");
    await writeFile(file, text);
    await expect(loadConfig(file, "1.2.0")).rejects.toMatchObject({
      code: "usage.invalid",
      message: expect.stringContaining(words) as unknown,
    });
  });

  it("of a newer version warns of what it does not know, and keeps it when it is written again", async () => {
    const file = path.join(folder, "newer.json");
    await writeFile(file, '{"schema":"exhibit.config/1","writtenBy":"1.10.0","warp":9}');
    const { config, warnings } = await loadConfig(file, "1.2.0");
    expect(warnings).toEqual([expect.stringContaining("warp")]);
    await saveConfig(file, { ...config, initials: "ABC" }, "1.2.0");
    expect(JSON.parse(await readFile(file, "utf8"))).toMatchObject({
      writtenBy: "1.10.0",
      warp: 9,
      initials: "ABC",
    });
  });
});

describe("settings", () => {
  const config = { ...empty, concurrency: 2, defaultStore: "filed" };

  it("come from the flag, else the variable, else the file, else the default", () => {
    const env = { EXHIBIT_STORE: "named", EXHIBIT_CONCURRENCY: "" };
    expect(settle({ store: "typed" }, env, config).store).toBe("typed");
    expect(settle({}, env, config).store).toBe("named");
    expect(settle({}, {}, config).store).toBe("filed");
    expect(settle({}, env, config).concurrency).toBe(2);
    expect(settle({}, {}, empty)).toMatchObject({
      store: undefined,
      concurrency: 4,
      partBytes: 8 * 1024 * 1024,
      requireProof: "transport",
      insecureStorage: false,
    });
    expect(settle({}, {}, { ...empty, storage: "file" }).insecureStorage).toBe(true);
  });

  it.each([
    [{ concurrency: "0" }, {}, "--concurrency must be a whole number from 1 to 32"],
    [{}, { EXHIBIT_CONCURRENCY: "many" }, "EXHIBIT_CONCURRENCY must be a whole number"],
    [{ partSize: "8X" }, {}, '--part-size must be a size, not "8X"'],
    [{}, { EXHIBIT_PART_SIZE: "1" }, "EXHIBIT_PART_SIZE must be between 64K and 512M"],
    [{}, { EXHIBIT_REQUIRE_PROOF: "size" }, "EXHIBIT_REQUIRE_PROOF must be one of whole"],
    [{ initials: "A1" }, {}, "--initials must be one to eight letters"],
    [{ store: "" }, {}, "--store must not be empty"],
  ])("given as %j with %j are refused by name", (given, env, words) => {
    expect(() => settle(given, env, empty)).toThrow(words);
  });

  it("are all told by help environment and help configuration", () => {
    for (const { variable, key } of Object.values(settingOrigins)) {
      expect(helpTopics["environment"]).toContain(variable);
      if (key !== undefined) expect(helpTopics["configuration"]).toContain(key);
    }
  });
});

describe("the stores", () => {
  it("can be changed by several at once without losing one", async () => {
    const file = path.join(folder, "many", "config.json");
    const names = Array.from({ length: 12 }, (_, index) => `store-${index}`);
    await Promise.all(
      names.map((name) => new StoreBook(file, "1.2.0").add(name, `https://${name}.example`, false)),
    );
    const stores = await new StoreBook(file, "1.2.0").list();
    expect(stores.map(({ name }) => name)).toEqual([...names].sort());
    expect(stores.filter(({ isDefault }) => isDefault)).toHaveLength(1);
  });

  it.each([
    ["https://Evidence.Example/", "https://evidence.example"],
    ["http://127.0.0.1:8080", "http://127.0.0.1:8080"],
    ["file://{}/evidence/", "file://{}/evidence"],
    ["{}/a b", "file://{}/a%20b"],
  ])("keep %s as %s", async (...forms) => {
    await mkdir(path.join(folder, "evidence"), { recursive: true });
    await mkdir(path.join(folder, "a b"), { recursive: true });
    const [given, kept] = forms.map((form) => form.replace("{}", folder)) as [string, string];
    const file = path.join(folder, "forms", "config.json");
    const book = new StoreBook(file, "1.2.0");
    expect((await book.remember((await book.add("one", given, true)).url)).url).toBe(kept);
    expect((await book.find(kept)).name).toBe("one");
    expect(await book.remove("one")).toEqual({ name: "one", url: kept, isDefault: true });
    await expect(book.find(undefined)).rejects.toMatchObject({ code: "usage.missing" });
  });

  it.each([
    ["http://evidence.example", "policy.insecure-address"],
    ["https://jo:secret@evidence.example", "usage.invalid"],
    ["https://evidence.example/?token=1", "usage.invalid"],
    ["https://evidence.example/#token", "usage.invalid"],
    ["ftp://evidence.example", "usage.invalid"],
    ["file://server/share", "usage.invalid"],
    ["evidence.example", "usage.invalid"],
    ["https://", "usage.invalid"],
    ["", "usage.invalid"],
  ])("refuse %p with %s", async (given, code) => {
    const book = new StoreBook(path.join(folder, "refusals", "config.json"), "1.2.0");
    await expect(book.add("one", given, false)).rejects.toMatchObject({ code });
  });

  it("get a name of their own from their address, and never two", async () => {
    const book = new StoreBook(path.join(folder, "names", "config.json"), "1.2.0");
    const names = [];
    for (const url of [
      "https://evidence.a.example",
      "https://evidence.b.example",
      "http://127.0.0.1:1",
      "file:///mnt/nas",
    ]) {
      names.push((await book.remember(url)).name, (await book.remember(url)).name);
    }
    expect(names).toEqual([
      ...["evidence", "evidence", "evidence-2", "evidence-2"],
      ...["local", "local", "nas", "nas"],
    ]);
  });
});
