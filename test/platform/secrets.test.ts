import { execFile, spawnSync } from "node:child_process";
import { chmod, mkdtemp, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { secretFile } from "../../src/platform/secrets/secret-file.ts";

const run = promisify(execFile);
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "exhibit-secrets-"));
});
afterAll(() => rm(folder, { recursive: true }));

describe("a key file", () => {
  it("is made when the first secret is kept, for its owner alone", async () => {
    const file = path.join(folder, "new", "keys.json");
    const secrets = secretFile(file);
    expect(await secrets.get("identity:a")).toBeUndefined();
    await secrets.set("identity:a", "sesame ✓");
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect(await secretFile(file).get("identity:a")).toBe("sesame ✓");
    await secrets.delete("identity:a");
    await secrets.delete("identity:a");
    expect(await secrets.get("identity:a")).toBeUndefined();
  });

  it("loses nothing when several write at once", async () => {
    const file = path.join(folder, "shared.json");
    const names = Array.from({ length: 10 }, (_, index) => `identity:${index}`);
    await Promise.all(names.map((name) => secretFile(file).set(name, `of ${name}`)));
    for (const name of names) expect(await secretFile(file).get(name)).toBe(`of ${name}`);
  });

  it.each([
    [
      "others can read it",
      '{"schema":"exhibit.keys/1","entries":{}}',
      0o644,
      "can be read by other people",
    ],
    ["it is no JSON", "not JSON", 0o600, "is not a key file"],
    [
      "it is another document",
      '{"schema":"exhibit.keys/2","entries":{}}',
      0o600,
      "is not a key file",
    ],
  ])("is refused when %s, and left as it is", async (_, text, mode, words) => {
    const file = path.join(folder, `refused-${mode}-${text.length}.json`);
    await writeFile(file, text);
    await chmod(file, mode);
    const refusal = { code: "auth.key-file", message: expect.stringContaining(words) as unknown };
    await expect(secretFile(file).get("a")).rejects.toMatchObject(refusal);
    await expect(secretFile(file).set("a", "b")).rejects.toMatchObject(refusal);
    expect((await stat(file)).size).toBe(text.length);
  });

  it("says so when it cannot be written", async () => {
    const file = path.join(folder, "shared.json", "below-a-file.json");
    await expect(secretFile(file).set("a", "b")).rejects.toMatchObject({ code: "auth.key-file" });
  });
});

const keychainModule = new URL("../../dist/platform/secrets/keychain.js", import.meta.url).href;
const story = `
  import { keychainOn } from ${JSON.stringify(keychainModule)};
  const keychain = keychainOn(process.platform);
  const began = performance.now();
  const told = { asked: [] };
  try {
    await keychain.set("identity:test", "schlüssel ✓");
    told.asked.push(await keychain.get("identity:test"));
    await keychain.delete("identity:test");
    told.asked.push(await keychain.get("identity:test") ?? "gone");
  } catch (error) {
    Object.assign(told, { code: error.code, message: error.message, hint: error.hint });
  }
  told.seconds = (performance.now() - began) / 1000;
  console.log(JSON.stringify(told));
`;
interface Told {
  readonly asked: readonly string[];
  readonly code?: string;
  readonly message?: string;
  readonly hint?: string;
  readonly seconds: number;
}

/** Runs the story in a session of its own, after `prepare` (shell) has made the keychain what it is to be. */
async function tell(prepare: string | undefined): Promise<Told> {
  const home = await mkdtemp(path.join(folder, "home-"));
  const env = {
    PATH: process.env["PATH"],
    HOME: home,
    XDG_RUNTIME_DIR: home,
    NODE: process.execPath,
    STORY: story,
  };
  const node = 'exec "$NODE" --input-type=module -e "$STORY"';
  const { stdout } =
    prepare === undefined
      ? await run("bash", ["-c", node], { env })
      : await run("dbus-run-session", ["--", "bash", "-c", `${prepare}\n${node}`], { env });
  return JSON.parse(stdout) as Told;
}

const unlocked = "printf test | gnome-keyring-daemon --unlock --components=secrets >/dev/null 2>&1";
// The daemon owns its name and is then stopped in its tracks: it never answers again.
const frozen = `
  printf test | gnome-keyring-daemon --foreground --unlock --components=secrets >/dev/null 2>&1 &
  until "$NODE" --input-type=module -e "import k from 'keytar'; await k.getPassword('a', 'b')" 2>/dev/null; do :; done
  kill -STOP $!
  trap "kill -KILL $!" EXIT`;

describe("the keychain", () => {
  it("is the one that this system has", () => {
    expect(spawnSync("gnome-keyring-daemon", ["--version"]).status).toBe(0);
  });

  it("keeps, gives and forgets a secret", async () => {
    expect(await tell(unlocked)).toMatchObject({ asked: ["schlüssel ✓", "gone"] });
  });

  it.each([
    ["is locked", "gnome-keyring-daemon --start --components=secrets >/dev/null 2>&1", "locked"],
    ["has no desktop session", undefined, "no desktop session"],
    ["never answers", frozen, "did not answer within 3 seconds"],
  ])("that %s is told in words, and the program ends", async (_, prepare, words) => {
    const told = await tell(prepare);
    expect(told).toMatchObject({
      asked: [],
      code: "auth.no-keychain",
      message: expect.stringContaining(words) as unknown,
      hint: expect.stringContaining("--key-file") as unknown,
    });
    expect(told.seconds).toBeLessThan(6);
  });
});
