import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import path from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";

let folder: string;
let told: Told;

/** What happened in one session with a keyring of its own, whose entries were taken to be as short as those of Windows. */
interface Told {
  /** How many entries a secret had, and whether it came back. */
  readonly lengths: readonly (readonly [entries: number, isSame: boolean])[];
  readonly asBefore: { readonly written: string; readonly read: string };
  readonly likeAHead: boolean;
  readonly deleted: { readonly entries: number; readonly read: string | null };
  readonly leftOver: readonly string[];
  readonly torn: Readonly<Record<"missing" | "changed", Torn>>;
  /** By change and by number of writes before the end: what was there afterwards. */
  readonly cutOff: Readonly<Record<string, readonly string[]>>;
  readonly killed: readonly string[];
  readonly refused: { readonly entries: number; readonly read: string };
  readonly together: {
    readonly seen: number;
    readonly odd: number;
    readonly codes: readonly number[];
    readonly entries: number;
  };
}
interface Torn {
  readonly code: string;
  readonly message: string;
  readonly hint: string;
  readonly afterNext: boolean;
}

const place = (name: string) =>
  JSON.stringify(new URL(`../../dist/platform/${name}.js`, import.meta.url).href);

/** What the session and its children have in common. */
const common = `
  import keytar from "keytar";
  import { keychainOn } from ${place("secrets/keychain")};
  import { secretsInParts } from ${place("secrets/secret-parts")};
  const entries = {
    get: async (account) => (await keytar.getPassword("exhibit", account)) ?? undefined,
    set: (account, text) => keytar.setPassword("exhibit", account, text),
    delete: (account) => keytar.deletePassword("exhibit", account),
    accounts: async () => (await keytar.findCredentials("exhibit")).map(({ account }) => account),
  };
  /** The same entries, where \`end\` comes in place of the write after so many. */
  const endingAfter = (count, end) => {
    let left = count;
    const unless = (write) => async (...given) => (left-- > 0 ? write(...given) : end());
    return { ...entries, set: unless(entries.set), delete: unless(entries.delete) };
  };
  const plain = secretsInParts(entries, 2560);
  const name = "sso-login:https://met.example";
  const token = (letter, length) => JSON.stringify({ accessToken: letter.repeat(length) });`;

/** Writers come in turn, as they do in the program. */
const writer = `${common}
  import { takeLock } from ${place("file-lock")};
  const [letter] = process.argv.slice(1);
  for (let round = 0; round < 4; round += 1) {
    const release = await takeLock(process.env.HOME + "/turn.lock", 20_000);
    await plain.set(name, token(letter, 9000));
    release();
  }`;

const killedWriter = `${common}
  const [count] = process.argv.slice(1).map(Number);
  await secretsInParts(endingAfter(count, () => process.kill(process.pid, "SIGKILL")), 2560).set(name, token("n", 6000));`;

const session = `${common}
  import { spawn } from "node:child_process";
  import { once } from "node:events";
  const child = (script, argument) => spawn(process.execPath, ["--input-type=module", "-e", script, argument], { stdio: "inherit" });
  const keychain = keychainOn("win32");
  const clear = async () => { for (const account of await entries.accounts()) await entries.delete(account); };
  const told = { lengths: [], cutOff: {}, killed: [], torn: {} };

  for (const secret of ["a", "a".repeat(2560), "a".repeat(2561), "ü✓🚌".repeat(2222), "a".repeat(20_000), "a".repeat(3000), "b"]) {
    await keychain.set(name, secret);
    told.lengths.push([(await entries.accounts()).length, (await keychain.get(name)) === secret]);
  }
  await keychain.set(name, "as before");
  told.asBefore = { written: await entries.get(name) };
  await entries.set(name, "from before");
  told.asBefore.read = await keychain.get(name);
  await keychain.set(name, token("a", 9000));
  const head = await entries.get(name);
  await keychain.set("other", head);
  told.likeAHead = (await keychain.get("other")) === head;
  await keychain.delete("other");
  await keychain.delete(name);
  told.deleted = { entries: (await entries.accounts()).length, read: (await keychain.get(name)) ?? null };

  // What writers left that died: long ago, just now, and under another name.
  const now = Date.now().toString(36);
  for (const account of [name + " part 0-ab.0", name + " part " + now + "-ab.0", "other part 0-ab.0"]) await entries.set(account, "left");
  await keychain.set(name, "x");
  told.leftOver = (await entries.accounts()).map((account) => account.replace(now, "now")).sort();
  await clear();

  for (const [how, harm] of [["missing", entries.delete], ["changed", (account) => entries.set(account, "z")]]) {
    await keychain.set(name, token("a", 6000));
    await harm((await entries.accounts()).find((account) => account.endsWith(".1")));
    const { code, message, hint } = await keychain.get(name).catch((error) => error);
    await keychain.set(name, token("b", 6000));
    told.torn[how] = { code, message, hint, afterNext: (await keychain.get(name)) === token("b", 6000) };
    await clear();
  }

  const which = (old, next, found) => (found === old ? "old" : found === next ? "new" : "neither");
  const [long, longer, short] = [token("o", 6000), token("n", 9000), token("s", 10)];
  for (const [change, old, next] of [
    ["none to long", undefined, long], ["short to long", short, long], ["long to longer", long, longer],
    ["long to short", longer, short], ["long to none", longer, undefined], ["short to none", short, undefined],
  ]) {
    const found = (told.cutOff[change] = []);
    for (let count = 0, isDone = false; !isDone; count += 1) {
      await clear();
      if (old !== undefined) await plain.set(name, old);
      const ends = endingAfter(count, () => { isDone = false; throw new Error("cut off"); });
      isDone = true;
      const cut = secretsInParts(ends, 2560);
      await (next === undefined ? cut.delete(name) : cut.set(name, next)).catch(() => undefined);
      found.push(which(old, next, await plain.get(name)));
    }
  }
  for (let count = 0, code = null; code === null; count += 1) {
    await clear();
    await plain.set(name, longer);
    [code] = await once(child(${JSON.stringify(killedWriter)}, String(count)), "close");
    told.killed.push(which(longer, token("n", 6000), await plain.get(name)));
  }
  await clear();

  await plain.set(name, short);
  let writes = 0;
  const full = { ...entries, set: async (...given) => { if (++writes > 2) throw new Error("full"); await entries.set(...given); } };
  await secretsInParts(full, 2560).set(name, longer).catch(() => undefined);
  told.refused = { entries: (await entries.accounts()).length, read: which(short, longer, await plain.get(name)) };

  await plain.set(name, token("a", 9000));
  const writers = ["a", "b", "c"].map((letter) => once(child(${JSON.stringify(writer)}, letter), "close"));
  const whole = new Set(["a", "b", "c"].map((letter) => token(letter, 9000)));
  told.together = { seen: 0, odd: 0 };
  let isOver = false;
  const over = Promise.all(writers).then((ends) => { isOver = true; return ends; });
  while (!isOver) {
    told.together.seen += 1;
    if (!whole.has(await plain.get(name))) told.together.odd += 1;
  }
  told.together.codes = (await over).map(([code]) => code);
  told.together.entries = (await entries.accounts()).length;
  console.log(JSON.stringify(told));`;

beforeAll(async () => {
  // In memory: the keyring flushes each write to the disk.
  folder = await mkdtemp(path.join("/dev/shm", "exhibit-parts-"));
  const script =
    'printf test | gnome-keyring-daemon --unlock --components=secrets >/dev/null 2>&1\nexec "$NODE" --input-type=module -e "$STORY"';
  const env = {
    PATH: process.env["PATH"],
    HOME: folder,
    XDG_RUNTIME_DIR: folder,
    NODE: process.execPath,
    STORY: session,
  };
  const { stdout } = await promisify(execFile)("dbus-run-session", ["--", "bash", "-c", script], {
    env,
  });
  told = JSON.parse(stdout) as Told;
});
afterAll(() => rm(folder, { recursive: true }));

describe("a secret in a keychain whose entries are short", () => {
  it("is one entry where it fits, and several where it does not, as it grows and shrinks", () => {
    expect(told.lengths).toEqual([1, 1, 3, 9, 9, 3, 1].map((entries) => [entries, true]));
  });

  it("that fits is written and read as it was before there were parts", () => {
    expect(told.asBefore).toEqual({ written: "as before", read: "from before" });
  });

  it("comes back when it looks like what leads to parts", () => {
    expect(told.likeAHead).toBe(true);
  });

  it("leaves nothing when it is deleted", () => {
    expect(told.deleted).toEqual({ entries: 0, read: null });
  });

  it("takes away what writers of its name left that died, and nothing of one that may be at work", () => {
    const name = "sso-login:https://met.example";
    expect(told.leftOver).toEqual(["other part 0-ab.0", name, `${name} part now-ab.0`]);
  });

  it.each(["missing", "changed"] as const)(
    "is not given in half when a part of it is %s, and the next one heals it",
    (how) => {
      expect(told.torn[how]).toEqual({
        code: "auth.no-keychain",
        message: expect.stringContaining('"sso-login:https://met.example" is not whole') as unknown,
        hint: expect.stringContaining("Remove the entry exhibit/sso-login:https://met") as unknown,
        afterNext: true,
      });
    },
  );

  it.each([
    ["none to long", 3, 0],
    ["short to long", 3, 0],
    ["long to longer", 4, 3],
    ["long to short", 0, 4],
    ["long to none", 0, 4],
    ["short to none", 0, 0],
  ])(
    "is the old or the new one, wherever the change from %s is cut off",
    (change, before, after) => {
      expect(told.cutOff[change]).toEqual(wherever(before, after));
    },
  );

  it("is the old or the new one, at whichever write the writer is killed", () => {
    expect(told.killed).toEqual(wherever(3, 4));
  });

  it("stays the old one, alone, when the keychain is full in mid-write", () => {
    expect(told.refused).toEqual({ entries: 1, read: "old" });
  });

  it("is whole at every moment while processes write it in turn", () => {
    expect(told.together.seen).toBeGreaterThan(12);
    expect(told.together).toMatchObject({ odd: 0, codes: [0, 0, 0], entries: 5 });
  });
});

/** The old one until the write that counts is done, which comes behind so many; the new one through so many more. */
function wherever(before: number, after: number): string[] {
  return [...Array<string>(before + 1).fill("old"), ...Array<string>(after + 1).fill("new")];
}
