import { spawn } from "node:child_process";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { ExhibitError } from "../../evidence/errors.ts";
import type { Secrets } from "../../evidence/ports/secrets.ts";
import type { KeychainAnswer, KeychainRequest } from "./keychain-child.ts";

const service = "exhibit";
const limitMs = 3000;
/** CRED_MAX_CREDENTIAL_BLOB_SIZE of wincred.h (5 * 512); keytar writes UTF-8. */
const windowsEntryBytes = 2560;

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
 * The OS keychain: Secret Service on Linux, Keychain on macOS, Credential Manager on Windows, where a secret that is longer than an entry
 * lies in several. Each call is a short program of its own that gets three seconds.
 *
 * @throws ExhibitError `auth.no-keychain`, with the reason in words
 */
export function keychainOn(platform: NodeJS.Platform): Secrets {
  const size = platform === "win32" ? { entryBytes: windowsEntryBytes } : {};
  return {
    place: "the keychain of this computer",
    async get(account) {
      return (await ask({ action: "get", service, account, ...size })).secret;
    },
    async set(account, secret) {
      await ask({ action: "set", service, account, secret, ...size });
    },
    async delete(account) {
      await ask({ action: "delete", service, account, ...size });
    },
  };
}

async function ask(request: KeychainRequest): Promise<KeychainAnswer> {
  const started = spawn(process.execPath, [child], {
    stdio: ["pipe", "pipe", "ignore"],
    // A task that runs without a window must not have one flash up.
    windowsHide: true,
  });
  // A child that dies before it has read everything must not end this program with EPIPE.
  started.stdin.on("error", () => undefined);
  started.stdin.end(JSON.stringify(request));
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
    if (answer.isTorn === true) throw torn(request.account);
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

function torn(account: string): ExhibitError {
  return new ExhibitError(
    "auth.no-keychain",
    `What the keychain of this computer keeps as "${account}" is not whole: parts of it are missing or changed.`,
    {
      hint: `Remove the entry ${service}/${account} there (in Windows' Credential Manager, under Generic Credentials), then sign in again.`,
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
