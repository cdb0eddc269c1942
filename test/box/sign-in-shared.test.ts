import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { boxUrl, takeNewestTwo, tokenRequests } from "../support/box-person.ts";
import {
  applicationEnv,
  keptInFile,
  runExhibit,
  runLogin,
  signingIn,
} from "../support/box-program.ts";
import { startBox } from "../support/box/box.ts";
import { shareOneLogin, startUser } from "../support/box-users.ts";
import { environmentIn } from "../support/built-program.ts";

const minute = 60_000;
let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "exhibit-box-shared-"));
});
afterEach(() => rm(folder, { recursive: true }));

describe("processes that share a login", () => {
  it("are 8, for an hour in which tokens live for five minutes, and nobody is locked out", () =>
    shareOneLogin(folder, 8));

  it.each([
    ["goes on where Box takes the newest two tokens", true],
    ["asks for a new login where Box takes a token once", false],
  ])(
    "and one that is killed between Box's answer and writing it down: the next one %s",
    async (_, lenient) => {
      const own = await startBox();
      if (lenient) takeNewestTwo(own);
      await runExhibit(folder, ["store", "add", "box", boxUrl(own)]);
      await runLogin(folder, own, ["box"]);
      const before = await keptInFile(folder, boxUrl(own));
      own.clock.aheadMs += 61 * minute;
      const user = await startUser(folder);
      const alter = <Answer>(answer: Answer): Answer => {
        user.child.kill("SIGKILL");
        return answer;
      };
      own.faults.next({ path: /token$/, alter });
      const killed = once(user.child, "close");
      void user.ask();
      expect((await killed)[1]).toBe("SIGKILL");
      expect(await keptInFile(folder, boxUrl(own))).toEqual(before);
      const next = await runExhibit(folder, ["whoami"]);
      expect(next.code).toBe(lenient ? 0 : 4);
      if (lenient) expect(await keptInFile(folder, boxUrl(own))).not.toEqual(before);
      else expect(next.err).toContain("Log in again: exhibit login box");
      // What the killed one had locked is free again, and a new login heals all.
      expect((await runLogin(folder, own, ["box"])).code).toBe(0);
      expect((await runExhibit(folder, ["whoami"])).code).toBe(0);
      await own.close();
    },
  );
});

it("keeps a login in the real keychain, and trades its tokens there", async () => {
  expect(spawnSync("gnome-keyring-daemon", ["--version"]).status).toBe(0);
  const own = await startBox();
  const program = fileURLToPath(new URL("../../bin/exhibit.js", import.meta.url));
  const script = `
    printf test | gnome-keyring-daemon --unlock --components=secrets >/dev/null 2>&1
    "$NODE" "$PROGRAM" login "$URL" && read later && "$NODE" "$PROGRAM" whoami && "$NODE" "$PROGRAM" logout
    "$NODE" "$PROGRAM" whoami || echo "at last $?"`;
  const env = environmentIn(folder);
  delete env["EXHIBIT_KEY_FILE"];
  const child = spawn("dbus-run-session", ["--", "bash", "-c", script], {
    env: {
      ...env,
      ...applicationEnv(own),
      NODE: process.execPath,
      PROGRAM: program,
      URL: boxUrl(own),
      HOME: folder,
      XDG_RUNTIME_DIR: folder,
    },
  });
  const out = createInterface({ input: child.stdout });
  const lines: string[] = [];
  out.on("line", (line) => {
    lines.push(line);
    if (!line.startsWith("box  ")) return;
    own.clock.aheadMs += 61 * minute;
    child.stdin.write("later\n");
  });
  const closed = once(child, "close");
  const err = await signingIn(child);
  await closed;
  const { officer } = own.users;
  expect(lines.join("\n")).toContain(`${officer.login} (${officer.id})`);
  expect(lines.at(-1)).toBe("at last 4");
  expect(err).toContain("in the keychain of this computer");
  expect(tokenRequests(own)).toBe(2);
  expect(own.world.tokens.refreshTokensOf(officer)).toBe(0);
  await own.close();
});
