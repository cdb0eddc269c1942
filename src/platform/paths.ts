import path from "node:path";

/** What decides where things lie: the system, the person's home, and the environment. */
export interface MachineFacts {
  readonly platform: NodeJS.Platform;
  readonly home: string;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** Where this product keeps things on this machine. */
export interface MachinePaths {
  readonly configFile: string;
  /** What checks found out about stores. */
  readonly storeChecksFile: string;
  readonly stateDir: string;
  /** How far this machine's uploads got. */
  readonly journalFile: string;
  /** What was taken from watched folders. */
  readonly watchFile: string;
  /** What uploads that are not finished have still to do. */
  readonly queuesDir: string;
  /** What links brought in, until it is sealed. */
  readonly fetchesDir: string;
  /** Copies of the receipts of what was sent from here. */
  readonly receiptsDir: string;
  /** Where secrets go when someone asked for a file by name. */
  readonly insecureKeyFile: string;
  /** Where `serve` keeps everything unless told otherwise. */
  readonly serverDir: string;
}

/**
 * Places by the habits of each system: XDG on Linux, `%LOCALAPPDATA%` on Windows, `~/Library` on macOS.
 * `EXHIBIT_CONFIG_DIR` and `EXHIBIT_STATE_DIR` override them.
 */
export function pathsOn(machine: MachineFacts): MachinePaths {
  const configDir = machine.env["EXHIBIT_CONFIG_DIR"] ?? defaultDir(machine, "config");
  const stateDir = machine.env["EXHIBIT_STATE_DIR"] ?? defaultDir(machine, "state");
  return {
    configFile: path.resolve(configDir, "config.json"),
    storeChecksFile: path.resolve(configDir, "store-checks.json"),
    stateDir: path.resolve(stateDir),
    journalFile: path.resolve(stateDir, "journal.sqlite"),
    watchFile: path.resolve(stateDir, "watched.sqlite"),
    queuesDir: path.resolve(stateDir, "queues"),
    fetchesDir: path.resolve(stateDir, "fetches"),
    receiptsDir: path.resolve(stateDir, "receipts"),
    insecureKeyFile: path.resolve(stateDir, "keys.json"),
    serverDir: path.resolve(stateDir, "server"),
  };
}

function defaultDir({ platform, home, env }: MachineFacts, kind: "config" | "state"): string {
  if (platform === "win32") {
    const local = env["LOCALAPPDATA"] ?? "";
    // Services and stripped environments have it empty: then, too, it must not be the current folder.
    const base = path.win32.isAbsolute(local) ? local : path.join(home, "AppData", "Local");
    return path.join(base, "exhibit", kind);
  }
  if (platform === "darwin") {
    return path.join(home, "Library", "Application Support", "exhibit", kind);
  }
  const variable = kind === "config" ? "XDG_CONFIG_HOME" : "XDG_STATE_HOME";
  const base = env[variable];
  // The XDG base directory specification: a relative path is to be ignored.
  if (base !== undefined && path.isAbsolute(base)) return path.join(base, "exhibit");
  return kind === "config"
    ? path.join(home, ".config", "exhibit")
    : path.join(home, ".local", "state", "exhibit");
}
