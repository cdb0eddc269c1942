import type { ChildProcessWithoutNullStreams } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import path from "node:path";
import { createInterface } from "node:readline";
import { text } from "node:stream/consumers";
import { loginName } from "../../src/stores/box/sign-in/kept-login.ts";
import { signInOnPage } from "./box-person.ts";
import type { Box } from "./box/box.ts";
import { finish, start } from "./built-program.ts";

/** What a run of the built program did. */
export interface Ran {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** The application of a simulated Box, as the environment names it. */
export function applicationEnv({ app }: Box): NodeJS.ProcessEnv {
  return {
    EXHIBIT_BOX_CLIENT_ID: app.clientId,
    EXHIBIT_BOX_CLIENT_SECRET: app.clientSecret,
  };
}

/** Runs the built program on the machine in `folder`. */
export function runExhibit(
  folder: string,
  argv: readonly string[],
  env: NodeJS.ProcessEnv = {},
): Promise<Ran> {
  return finish(start(folder, argv, env));
}

/** Runs `exhibit login` there, and is the person who signs in on the page that it names. */
export async function runLogin(folder: string, box: Box, argv: readonly string[]): Promise<Ran> {
  const child = start(folder, ["login", ...argv], applicationEnv(box));
  child.stdin.end();
  const closed = once(child, "close") as Promise<[number | null]>;
  const out = text(child.stdout);
  const err = await signingIn(child);
  return { code: (await closed)[0], out: await out, err };
}

/** Signs in on the page that a program names on stderr, and gives all that it says there. */
export async function signingIn(child: ChildProcessWithoutNullStreams): Promise<string> {
  let err = "";
  for await (const line of createInterface({ input: child.stderr })) {
    err += `${line}\n`;
    const page = /https?:\/\/\S+\/authorize\?[^\s"]+/.exec(line)?.[0];
    if (page !== undefined) await signInOnPage(page);
  }
  return err;
}

/** What the key file keeps of the login. */
export async function keptInFile(folder: string, url: string): Promise<Record<string, string>> {
  const file = JSON.parse(await readFile(path.join(folder, "keys.json"), "utf8")) as {
    entries: Record<string, string>;
  };
  return JSON.parse(file.entries[loginName(url)] ?? "{}") as Record<string, string>;
}
