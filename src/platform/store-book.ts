import { mkdir } from "node:fs/promises";
import path from "node:path";
import { ExhibitError } from "../evidence/errors.ts";
import { thumbprintSchema } from "../evidence/thumbprint.ts";
import { loadConfig, saveConfig, storeNameSchema, type Config } from "./config.ts";
import { takeLock } from "./file-lock.ts";
import { nameFor, requireFolder, storeAddress } from "./store-address.ts";

export interface NamedStore {
  readonly name: string;
  readonly url: string;
  readonly isDefault: boolean;
}

/** A key of another machine whose signatures count here. */
export interface TrustedKey {
  readonly thumbprint: string;
  /** Whose it is, in words. */
  readonly whose: string;
}

/** The configured stores. Two processes that change them at once both succeed. */
export class StoreBook {
  readonly #file: string;
  readonly #version: string;

  constructor(configFile: string, version: string) {
    this.#file = configFile;
    this.#version = version;
  }

  async list(): Promise<NamedStore[]> {
    const { config } = await loadConfig(this.#file, this.#version);
    return Object.keys(config.stores)
      .sort()
      .map((name) => named(config, name));
  }

  /**
   * The store that a person means: by name, by URL, or, when nothing is named, the default.
   *
   * @throws ExhibitError `not-found.store`; `usage.missing` when there is no default
   */
  async find(wanted: string | undefined): Promise<NamedStore> {
    const { config } = await loadConfig(this.#file, this.#version);
    const name = wanted ?? config.defaultStore;
    if (name === undefined) {
      throw new ExhibitError("usage.missing", "No store is named, and there is no default store.", {
        hint:
          Object.keys(config.stores).length === 0
            ? "Add one first: exhibit login URL for an exhibit server, or exhibit store add NAME file:///PATH."
            : `Name one with --store (${Object.keys(config.stores).sort().join(", ")}), or choose a default: exhibit store default NAME.`,
      });
    }
    if (config.stores[name] !== undefined) return named(config, name);
    if (!/^[a-z][a-z0-9+.-]+:/i.test(name)) throw unknownStore(config, name);
    const url = storeAddress(name);
    const known = Object.keys(config.stores).find((other) => config.stores[other] === url);
    return known === undefined ? { name: url, url, isDefault: false } : named(config, known);
  }

  /**
   * The first store becomes the default. The same name and URL again succeed.
   *
   * @throws ExhibitError `conflict.exists`; `not-found.store` for a folder that is not there
   */
  async add(name: string, address: string, asDefault: boolean): Promise<NamedStore> {
    const parsed = storeNameSchema.safeParse(name);
    if (!parsed.success) {
      const issue = parsed.error.issues[0]?.message ?? "is not right";
      throw new ExhibitError("usage.invalid", `The store's name ${issue}, not "${name}".`);
    }
    const url = storeAddress(address);
    await requireFolder(url);
    return this.#change((config) => {
      const before = config.stores[name];
      if (before !== undefined && before !== url) {
        throw new ExhibitError(
          "conflict.exists",
          `The name ${name} already stands for ${before}.`,
          {
            hint: `Choose another name, or take this one back first: exhibit store remove ${name}.`,
          },
        );
      }
      return [withStore(config, name, url, asDefault), name];
    });
  }

  /** Adds a store under a name made from its URL, unless one with this URL is there. */
  async remember(url: string): Promise<NamedStore> {
    return this.#change((config) => {
      const known = Object.keys(config.stores).find((name) => config.stores[name] === url);
      const name = known ?? nameFor(url, new Set(Object.keys(config.stores)));
      return [withStore(config, name, url, false), name];
    });
  }

  /** @throws ExhibitError `not-found.store` */
  async remove(name: string): Promise<NamedStore> {
    let removed: NamedStore | undefined;
    await this.#change((config) => {
      requireKnown(config, name);
      removed = named(config, name);
      const { defaultStore, stores, ...rest } = config;
      const left = Object.fromEntries(Object.entries(stores).filter(([other]) => other !== name));
      const next = { ...rest, stores: left };
      return [
        defaultStore === undefined || defaultStore === name ? next : { ...next, defaultStore },
        name,
      ];
    });
    return removed ?? { name, url: "", isDefault: false };
  }

  /** @throws ExhibitError `not-found.store` */
  async setDefault(name: string): Promise<NamedStore> {
    return this.#change((config) => {
      requireKnown(config, name);
      return [{ ...config, defaultStore: name }, name];
    });
  }

  /** Keys of other machines that are trusted, and whose they are. */
  async trustedKeys(): Promise<TrustedKey[]> {
    const { config } = await loadConfig(this.#file, this.#version);
    return Object.entries(config.trustedKeys ?? {}).map(([thumbprint, whose]) => ({
      thumbprint,
      whose,
    }));
  }

  /** Believes what this key has signed. The same again succeeds; other words for it take their place. @throws ExhibitError `usage.invalid` */
  async trust({ thumbprint, whose }: TrustedKey): Promise<void> {
    const parsed = thumbprintSchema.safeParse(thumbprint);
    if (!parsed.success) {
      const issue = parsed.error.issues[0]?.message ?? "is not right";
      throw new ExhibitError("usage.invalid", `The key ${issue}.`);
    }
    await this.#change((config) => [
      { ...config, trustedKeys: { ...config.trustedKeys, [parsed.data]: whose } },
      "",
    ]);
  }

  /** Believes a key no more. False where it was not trusted. */
  async distrust(thumbprint: string): Promise<boolean> {
    let was = false;
    await this.#change((config) => {
      const { [thumbprint]: found, ...left } = config.trustedKeys ?? {};
      was = found !== undefined;
      return [was ? { ...config, trustedKeys: left } : config, ""];
    });
    return was;
  }

  /** Later commands look for keys in the plain file, too. */
  async rememberInsecureStorage(): Promise<void> {
    await this.#change((config) => [{ ...config, storage: "file" }, ""]);
  }

  async #change(edit: (config: Config) => readonly [Config, string]): Promise<NamedStore> {
    await mkdir(path.dirname(this.#file), { recursive: true, mode: 0o700 });
    const release = await takeLock(`${this.#file}.lock`, 5000);
    if (release === undefined) {
      throw new ExhibitError("conflict.locked", "Another program is changing the configuration.", {
        hint: "Try again in a moment.",
      });
    }
    try {
      const { config } = await loadConfig(this.#file, this.#version);
      const [changed, name] = edit(config);
      await saveConfig(this.#file, changed, this.#version);
      return named(changed, name);
    } finally {
      release();
    }
  }
}

function named(config: Config, name: string): NamedStore {
  return { name, url: config.stores[name] ?? "", isDefault: config.defaultStore === name };
}

function withStore(config: Config, name: string, url: string, asDefault: boolean): Config {
  const stores = { ...config.stores, [name]: url };
  const defaultStore = asDefault ? name : (config.defaultStore ?? name);
  return { ...config, stores, defaultStore };
}

function requireKnown(config: Config, name: string): void {
  if (config.stores[name] === undefined) throw unknownStore(config, name);
}

function unknownStore(config: Config, name: string): ExhibitError {
  const names = Object.keys(config.stores).sort().join(", ");
  const isHost = /^[a-z0-9-]+(?:\.[a-z0-9-]+)+(?::\d+)?(?:\/|$)/i.test(name);
  const address = isHost ? `If it is a server's address, write https://${name}. ` : "";
  return new ExhibitError("not-found.store", `No store is called "${name}".`, {
    hint:
      address +
      (names === ""
        ? "None is configured yet: exhibit login URL, or exhibit store add NAME URL."
        : `Configured are: ${names}.`),
  });
}
