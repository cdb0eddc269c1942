import { execFile } from "node:child_process";
import { mkdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import path from "node:path";
import { promisify } from "node:util";
import { ExhibitError } from "../../evidence/errors.ts";
import type {
  InstalledService,
  Service,
  Services,
  ServiceSystem,
  WrittenService,
} from "../../evidence/ports/services.ts";
import { pathsOn, type MachineFacts } from "../paths.ts";
import { scheduledTask } from "./scheduled-task.ts";
import { systemdUnit } from "./systemd-unit.ts";

const run = promisify(execFile);

/** Settings that a service keeps of the command that made it. Never a secret. */
const kept = [
  ...["EXHIBIT_CONFIG_DIR", "EXHIBIT_STATE_DIR", "EXHIBIT_STORE", "EXHIBIT_KEY_FILE"],
  ...["EXHIBIT_CA_FILE", "EXHIBIT_INITIALS", "EXHIBIT_BWLIMIT", "EXHIBIT_CONCURRENCY"],
  ...["EXHIBIT_PART_SIZE", "EXHIBIT_REQUIRE_PROOF", "EXHIBIT_GIVE_UP_AFTER", "NO_PROXY"],
];

/** The services of this machine; `program` is what is run. */
export function servicesOf(facts: MachineFacts, program: readonly string[]): Services {
  const { platform, env } = facts;
  const system = platform === "linux" ? "linux" : platform === "win32" ? "windows" : undefined;
  const print = (service: Service, wanted: ServiceSystem): WrittenService =>
    wanted === "linux" ? unitOf(service, facts, program) : taskOf(service, facts, program);
  return {
    system,
    print,
    install: async (service) => {
      if (system === undefined) throw unsupported();
      const written = print(service, system);
      const steps = await (system === "linux"
        ? installUnit(written, service.name, env)
        : installTask(written, service.name, env));
      return { ...written, ...steps };
    },
    remove: async (name) => {
      if (system === undefined) throw unsupported();
      return system === "linux"
        ? removeUnit(path.join(unitFolder(facts), `${name}.service`), env)
        : removeTask(name, env);
    },
  };
}

function unitFolder({ home, env }: MachineFacts): string {
  const base = env["XDG_CONFIG_HOME"];
  const config = base !== undefined && path.isAbsolute(base) ? base : path.join(home, ".config");
  return path.join(config, "systemd", "user");
}

function unitOf(service: Service, facts: MachineFacts, command: readonly string[]): WrittenService {
  const { name } = service;
  const env = Object.fromEntries(
    kept.flatMap((one) => {
      const value = facts.env[one];
      return value === undefined || value === "" ? [] : [[one, placed(one, value)]];
    }),
  );
  const proxy = proxyIn(facts.env);
  if (proxy !== undefined && !mayHoldPassword(proxy)) env["HTTPS_PROXY"] = proxy;
  const file = path.join(unitFolder(facts), `${name}.service`);
  return {
    file,
    text: systemdUnit(service, { command, env }),
    steps: [
      ...leftOut(facts.env, name),
      `Save it as ${file}, then: systemctl --user daemon-reload && systemctl --user enable --now ${name}`,
      `See how it does: systemctl --user status ${name}; journalctl --user -u ${name}`,
      lingerHint,
    ],
  };
}

function proxyIn(env: MachineFacts["env"]): string | undefined {
  const proxy = env["HTTPS_PROXY"] ?? env["https_proxy"];
  return proxy === "" ? undefined : proxy;
}

/** Whoever may log on as this user can read a unit, and `systemctl show` prints it. */
function mayHoldPassword(proxy: string): boolean {
  return proxy.includes("@");
}

function leftOut(env: MachineFacts["env"], name: string): string[] {
  const proxy = proxyIn(env);
  if (proxy === undefined || !mayHoldPassword(proxy)) return [];
  return [
    `Your proxy's address is not written into it, because it may hold a password. Without it nothing is sent. Add it by: systemctl --user edit ${name}, with the lines [Service] and Environment="HTTPS_PROXY=…"`,
  ];
}

const lingerHint = "To have it run before anyone logs on: loginctl enable-linger";

/** Relative folders would lie elsewhere for the service. */
function placed(name: string, value: string): string {
  return /_(?:DIR|FILE)$/.test(name) ? path.resolve(value) : value;
}

function taskOf(service: Service, facts: MachineFacts, command: readonly string[]): WrittenService {
  const { name } = service;
  const user = windowsUser(facts.env);
  const file = path.join(pathsOn(facts).stateDir, "services", `${name}.xml`);
  return {
    file,
    text: scheduledTask(service, command, user),
    steps: [
      ...(user === undefined
        ? [
            "It starts whoever logs on, and takes an administrator to make; printed on Windows it is its user's.",
          ]
        : []),
      `Save it as ${name}.xml, then: schtasks /Create /TN ${name} /XML ${name}.xml /F`,
      `See how it does: schtasks /Query /TN ${name} /V /FO LIST`,
    ],
  };
}

function windowsUser({
  USERDOMAIN: domain,
  USERNAME: user,
}: MachineFacts["env"]): string | undefined {
  return domain === undefined || user === undefined ? undefined : `${domain}\\${user}`;
}

type Installed = Pick<InstalledService, "isNew" | "steps">;

/** Enables it as `systemctl enable` would, by a link, which needs no systemd that is running. */
async function installUnit(
  { file, text }: WrittenService,
  name: string,
  env: MachineFacts["env"],
): Promise<Installed> {
  const folder = path.join(path.dirname(file), "default.target.wants");
  const before = await readFile(file, "utf8").catch(() => undefined);
  await inPlace(file, async () => {
    await mkdir(folder, { recursive: true });
    await writeFile(file, text);
    await symlink(path.join("..", `${name}.service`), path.join(folder, `${name}.service`)).catch(
      (error: unknown) => {
        if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
      },
    );
  });
  const isTold = await reload(env);
  return {
    isNew: before !== text,
    steps: [
      ...leftOut(env, name),
      ...(isTold
        ? []
        : [
            "systemd could not be told of it now; it reads it at the next log-on, or at once with: systemctl --user daemon-reload",
          ]),
      `See how it does: systemctl --user status ${name}; journalctl --user -u ${name}`,
      lingerHint,
    ],
  };
}

async function removeUnit(file: string, env: MachineFacts["env"]): Promise<string | undefined> {
  const name = path.basename(file);
  const isThere = (await readFile(file, "utf8").catch(() => undefined)) !== undefined;
  await inPlace(file, async () => {
    await rm(path.join(path.dirname(file), "default.target.wants", name), { force: true });
    await rm(file, { force: true });
  });
  await reload(env);
  return isThere ? file : undefined;
}

async function reload(env: MachineFacts["env"]): Promise<boolean> {
  return run("systemctl", ["--user", "daemon-reload"], { timeout: 10_000, env }).then(
    () => true,
    () => false,
  );
}

async function installTask(
  { file, text }: WrittenService,
  name: string,
  env: MachineFacts["env"],
): Promise<Installed> {
  const bytes = Buffer.from(`\ufeff${text.replaceAll("\n", "\r\n")}`, "utf16le");
  const before = await readFile(file).catch(() => undefined);
  await inPlace(file, async () => {
    await mkdir(path.dirname(file), { recursive: true });
    await writeFile(file, bytes);
  });
  await schtasks(["/Create", "/TN", name, "/XML", file, "/F"], env);
  return {
    isNew: before?.equals(bytes) !== true,
    steps: [
      `See how it does: schtasks /Query /TN ${name} /V /FO LIST`,
      "It starts when you log on. Variables such as EXHIBIT_STORE count for it where they are yours in Windows' settings.",
    ],
  };
}

async function removeTask(name: string, env: MachineFacts["env"]): Promise<string | undefined> {
  const facts = { platform: "win32", home: "", env } as const;
  const file = path.join(pathsOn(facts).stateDir, "services", `${name}.xml`);
  const isThere = (await readFile(file).catch(() => undefined)) !== undefined;
  if (!isThere) return undefined;
  await schtasks(["/Delete", "/TN", name, "/F"], env);
  await rm(file, { force: true });
  return file;
}

async function schtasks(argv: readonly string[], env: MachineFacts["env"]): Promise<void> {
  try {
    await run("schtasks", [...argv], { timeout: 30_000, env });
  } catch (cause) {
    throw new ExhibitError("unavailable.program", "Windows' Task Scheduler did not take it.", {
      hint: "Ask your administrator whether you may make tasks; exhibit watch --print-service --for windows prints one to import by hand.",
      cause,
    });
  }
}

async function inPlace(file: string, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (cause) {
    throw new ExhibitError(
      "usage.invalid",
      `${file} cannot be written (${(cause as Error).message}).`,
      {
        hint: "Make its folder writable for you, then run the same command again.",
        cause,
      },
    );
  }
}

function unsupported(): ExhibitError {
  return new ExhibitError("policy.unsupported", "Services are made for Linux and Windows only.", {
    hint: "Have your system run exhibit resume when you log on.",
  });
}
