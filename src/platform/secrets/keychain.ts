import { spawn } from "node:child_process";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { ExhibitError } from "../../evidence/errors.ts";
import type { Secrets } from "../../evidence/ports/secrets.ts";
import type { KeychainAnswer } from "./keychain-child.ts";

const service = "exhibit";
const limitMs = 3000;

// tsc does not rewrite a URL, and Node 20 runs no TypeScript: from the sources, too, the built child is the one to start.
const child = fileURLToPath(
  new URL(
    import.meta.url.endsWith(".ts")
      ? "../../../dist/platform/secrets/keychain-child.js"
      : "./keychain-child.js",
    import.meta.url,
  ),
);

/**
 * The OS keychain: Secret Service on Linux, Keychain on macOS, Credential Manager on Windows. Each call is a short
 * program of its own that gets three seconds.
 *
 * @throws ExhibitError `auth.no-keychain`, with the reason in words
 */
export const keychain: Secrets = {
  place: "the keychain of this computer",
  async get(name) {
    return (await ask({ action: "get", account: name })).secret;
  },
  async set(name, secret) {
    await ask({ action: "set", account: name, secret });
  },
  async delete(name) {
    await ask({ action: "delete", account: name });
  },
};

async function ask(request: {
  action: "get" | "set" | "delete";
  account: string;
  secret?: string;
}): Promise<KeychainAnswer> {
  const started = spawn(process.execPath, [child], { stdio: ["pipe", "pipe", "ignore"] });
  // A child that dies before it has read everything must not end this program with EPIPE.
  started.stdin.on("error", () => undefined);
  started.stdin.end(JSON.stringify({ service, ...request }));
  let timer: NodeJS.Timeout | undefined;
  const tooLate = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      started.kill("SIGKILL");
      // Something that the child started may hold the pipe open still.
      started.stdout.destroy();
      reject(noKeychain("it did not answer within 3 seconds"));
    }, limitMs);
  });
  try {
    const said = await Promise.race([text(started.stdout), tooLate]);
    const answer = JSON.parse(said === "" ? '{"failure":"no answer"}' : said) as KeychainAnswer;
    if (answer.failure !== undefined) throw noKeychain(reasonInWords(answer.failure));
    return answer;
  } finally {
    clearTimeout(timer);
  }
}

function noKeychain(reason: string): ExhibitError {
  return new ExhibitError(
    "auth.no-keychain",
    `The keychain of this computer cannot be used: ${reason}.`,
    {
      hint:
        "Unlock it and try again. On a machine without one, keep the key in a file of your choice: --key-file FILE or " +
        "EXHIBIT_KEY_FILE. `exhibit login --insecure-storage` keeps it in a plain file in the state folder.",
    },
  );
}

const reasons: readonly (readonly [RegExp, string])[] = [
  [
    /Cannot find (?:package|module)|Failed to load keytar/i,
    "its library is missing (on Debian and Ubuntu: apt-get install libsecret-1-0)",
  ],
  [/autolaunch D-Bus|DBUS_SESSION_BUS_ADDRESS/i, "no desktop session is running (no session bus)"],
  [
    /ServiceUnknown|not provided by any|StartServiceByName|was not provided/i,
    "no keychain service is running (such as gnome-keyring)",
  ],
  [/locked|collection\/login|Object does not exist|dismissed/i, "it is locked"],
  [/Could not connect|No such file|refused/i, "the session bus does not answer"],
];

function reasonInWords(failure: string): string {
  return reasons.find(([pattern]) => pattern.test(failure))?.[1] ?? failure.replace(/\.$/, "");
}
