import { execFileSync } from "node:child_process";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { finish, serve, startApart, type ServingProgram } from "../built-program.ts";
import { openShell, type Shell } from "./shell.ts";

const program = fileURLToPath(new URL("../../../bin/exhibit.js", import.meta.url));

/** The name that all guides use for the server. */
export const serverName = "evidence.example.police.uk";
export const serverUrl = `https://${serverName}`;

/** Where the guides take place: a server under its own name on port 443, and people with computers that are new. */
export interface Town {
  readonly folder: string;
  /** An invitation's code. */
  invite(role: string): Promise<string>;
  /** The built program as the administrator, to its end; its answer as JSON. */
  asAdmin(argv: readonly string[], given?: string): Promise<unknown>;
  /** A new computer: its folder, with these files in it, and a shell there. */
  newcomer(files: Readonly<Record<string, Buffer | string>>): Promise<Newcomer>;
  close(): Promise<void>;
}

export interface Newcomer {
  readonly folder: string;
  /** Another window of the same computer. */
  window(): Promise<Shell>;
}

export async function openTown({ withServer }: { withServer: boolean }): Promise<Town> {
  const folder = await mkdtemp(path.join(tmpdir(), "exhibit-guide-"));
  const file = (name: string): string => path.join(folder, name);
  // An address of this computer that nothing else listens on.
  await writeFile(file("hosts"), `127.0.0.1 localhost\n127.0.42.1 ${serverName}\n`);
  certify(folder);
  await mkdir(file("bin"));
  await writeFile(
    file("bin/exhibit"),
    `#!/bin/sh\nexec '${process.execPath}' '${program}' "$@"\n`,
    {
      mode: 0o755,
    },
  );
  const env = { EXHIBIT_CA_FILE: file("ca.pem") };
  const server = withServer ? await serveIn(folder) : undefined;
  const computers: Shell[] = [];

  async function asAdmin(argv: readonly string[], given = ""): Promise<unknown> {
    const hosts = { "/etc/hosts": file("hosts") };
    const child = startApart(hosts, file("admin"), [...argv, "--json"], env);
    child.stdin.write(given);
    const { code, out, err } = await finish(child);
    if (code !== 0) throw new Error(`${argv.join(" ")}: ${err}`);
    return JSON.parse(out);
  }

  async function newcomer(files: Readonly<Record<string, Buffer | string>>): Promise<Newcomer> {
    const home = await mkdtemp(file("home-"));
    for (const [name, content] of Object.entries(files)) {
      await mkdir(path.dirname(path.join(home, name)), { recursive: true });
      await writeFile(path.join(home, name), content);
    }
    const own = {
      ...env,
      PATH: `${file("bin")}:${process.env["PATH"] ?? ""}`,
      HOME: home,
      TERM: "xterm-256color",
      LANG: "C.UTF-8",
      EXHIBIT_KEY_FILE: path.join(home, ".exhibit-keys.json"),
    };
    return {
      folder: home,
      async window() {
        const shell = await openShell(own, home, file("hosts"));
        computers.push(shell);
        return shell;
      },
    };
  }

  if (server !== undefined) {
    const invitation = await readFile(file("invitation.txt"), "utf8");
    await asAdmin(["login", serverUrl, "--invite-stdin"], invitation);
  }
  return {
    folder,
    asAdmin,
    async invite(role) {
      const about = ["--role", role, "--org", "Garage North"];
      const made = await asAdmin(["invite", "create", ...about]);
      return (made as { code: string }).code;
    },
    newcomer,
    async close() {
      for (const computer of computers) await computer.close();
      await server?.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function serveIn(folder: string): Promise<ServingProgram> {
  const file = (name: string): string => path.join(folder, name);
  return serve(folder, [
    ...["--host", "127.0.42.1", "--port", "443", "--public-url", serverUrl],
    ...["--tls-cert", file("cert.pem"), "--tls-key", file("key.pem"), "--data", file("data")],
    ...["--organisation", "Example Police", "--invitation-file", file("invitation.txt")],
  ]);
}

/** A certificate for the server's name and address, which this CA of its own vouches for. */
function certify(folder: string): void {
  const openssl = (...argv: string[]): void => {
    execFileSync("openssl", argv, { cwd: folder, stdio: "ignore" });
  };
  const curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
  openssl(
    "req",
    "-x509",
    ...curve,
    "-days",
    "2",
    "-subj",
    "/CN=Test CA",
    "-keyout",
    "ca.key",
    "-out",
    "ca.pem",
  );
  const names = `subjectAltName=DNS:${serverName},IP:127.0.42.1`;
  openssl(
    "req",
    "-x509",
    "-CA",
    "ca.pem",
    "-CAkey",
    "ca.key",
    ...curve,
    "-days",
    "2",
    "-subj",
    `/CN=${serverName}`,
    "-addext",
    names,
    "-addext",
    "basicConstraints=critical,CA:FALSE",
    "-keyout",
    "key.pem",
    "-out",
    "cert.pem",
  );
}
