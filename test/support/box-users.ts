import { spawn, type ChildProcessWithoutNullStreams } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { expect } from "@jest/globals";
import { startBox } from "./box/box.ts";
import { boxUrl, tokenRequests, wrongRequests } from "./box-person.ts";
import { runExhibit, runLogin } from "./box-program.ts";
import { environmentIn } from "./built-program.ts";

const minute = 60_000;
const userScript = fileURLToPath(new URL("box-user.js", import.meta.url));

export interface User {
  readonly child: ChildProcessWithoutNullStreams;
  /** Asks once more who it is, and gives what is said. */
  ask(): Promise<string>;
  end(): Promise<unknown>;
}

/** Starts a process that shares the login of the machine whose folder this is. */
export async function startUser(folder: string): Promise<User> {
  const child = spawn(process.execPath, [userScript, "box"], { env: environmentIn(folder) });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const next = async (): Promise<string> => String((await lines.next()).value);
  const closed = once(child, "close");
  expect(await next()).toBe("ready");
  return {
    child,
    ask() {
      child.stdin.write("who\n");
      return next();
    },
    end() {
      child.stdin.end("end\n");
      return closed;
    },
  };
}

/** So many processes share one login for an hour in which tokens live for five minutes: one trades each time, nobody is locked out. */
export async function shareOneLogin(folder: string, processes: number): Promise<void> {
  const busy = await startBox({ settings: { accessTokenSeconds: 300 } });
  await runExhibit(folder, ["store", "add", "box", boxUrl(busy)]);
  expect((await runLogin(folder, busy, ["box"])).code).toBe(0);
  const users = await Promise.all(Array.from({ length: processes }, () => startUser(folder)));
  const asked = tokenRequests(busy);
  for (let minutes = 0; minutes < 60; minutes += 5) {
    busy.clock.aheadMs += 5 * minute;
    const said = await Promise.all(users.map((user) => user.ask()));
    expect(new Set(said)).toEqual(new Set([busy.users.officer.id]));
  }
  // One of them trades each time; the others take what it wrote down.
  expect(tokenRequests(busy) - asked).toBe(12);
  await Promise.all(users.map((user) => user.end()));
  expect((await runExhibit(folder, ["whoami"])).code).toBe(0);
  expect([busy.unsound, wrongRequests(busy)]).toEqual([[], []]);
  await busy.close();
}
