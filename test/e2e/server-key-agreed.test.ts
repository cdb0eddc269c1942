import { copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { boxCertificates } from "../support/box/certificates.ts";
import { atTerminal, finish, serve, start, type ServingProgram } from "../support/built-program.ts";

const preload = fileURLToPath(new URL("../support/public-authority/preload.js", import.meta.url));

let folder: string;
let serving: ServingProgram;
let thumbprint: string;
let byForce: NodeJS.ProcessEnv;
let bySystem: NodeJS.ProcessEnv;
let byPublic: NodeJS.ProcessEnv;

/** A server with a certificate, and an admin there who has enrolled a key that lies in `machine.json`. */
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "exhibit-agreed-"));
  const { ca, cert, key } = boxCertificates();
  for (const [name, pem] of Object.entries({ ca, cert, key })) await writeFile(file(name), pem);
  byForce = { EXHIBIT_CA_FILE: file("ca") };
  bySystem = { NODE_EXTRA_CA_CERTS: file("ca") };
  byPublic = { ...bySystem, NODE_OPTIONS: `--import=${preload}` };
  serving = await serve(folder, [
    ...["--data", file("data"), "--invitation-file", file("invitation")],
    ...["--tls-cert", file("cert"), "--tls-key", file("key")],
  ]);
  const admin = async (input: string, ...argv: string[]): Promise<string> => {
    const child = start(file("admin"), argv, byForce);
    child.stdin.write(input);
    const ran = await finish(child);
    expect({ argv, ...ran }).toMatchObject({ code: 0 });
    return ran.out;
  };
  await admin(await readFile(file("invitation"), "utf8"), "login", serving.url, "--invite-stdin");
  const keys = await admin("", "key", "list", "--json");
  thumbprint = (JSON.parse(keys) as { keys: { thumbprint: string }[] }).keys[0]?.thumbprint ?? "";
  await admin("", "key", "create", file("machine.json"));
  const enrol = ["identity", "enrol", file("machine.json.pub"), "--role", "partner"];
  await admin("", ...enrol, "--org", "Control Room");
}, 60_000);
afterAll(async () => {
  await serving.stop();
  await rm(folder, { recursive: true });
});

const file = (name: string): string => path.join(folder, name);

/** A machine with that key, which has not spoken to the server before. */
async function newMachine(name: string): Promise<{ home: string; login: string[] }> {
  const home = file(name);
  const keys = path.join(home, "key.json");
  await mkdir(home);
  await copyFile(file("machine.json"), keys);
  return { home, login: ["login", serving.url, "--key-file", keys] };
}

describe("the key of a server that a machine has not spoken to", () => {
  it.each([
    ["a certificate of nobody that it trusts", () => ({}), [], 9, /certificate/],
    ["one of the force's authority", () => byForce, [], 2, /no public authority.*--server-key/s],
    ["one of an authority of this system", () => bySystem, [], 2, /no public authority/],
    ["that, and --server-key", () => bySystem, ["right"], 0, /^(?!.*no public authority)/s],
    ["one of a public authority", () => byPublic, [], 0, /key, which is kept from now on: KEY/],
    ["that, and another --server-key", () => byPublic, ["A".repeat(43)], 4, /another key/],
  ] as const)("without a terminal, with %s", async (name, env, [given], code, says) => {
    const { home, login } = await newMachine(name);
    const words =
      given === undefined ? [] : [`--server-key=${given === "right" ? thumbprint : given}`];
    const ran = await finish(start(home, [...login, ...words], env()));
    expect(ran).toMatchObject({ code });
    expect(ran.err.replace(thumbprint, "KEY")).toMatch(says);
    if (code !== 0) return;
    // It is pinned: nobody is asked or told again.
    const again = await finish(start(home, login, byForce));
    expect(again).toMatchObject({ code: 0, err: expect.not.stringContaining(thumbprint) });
  });

  it("is compared by a person: nothing but yes will do", async () => {
    const { home, login } = await newMachine("compared");
    const terminal = atTerminal(home, login, byForce);
    await terminal.shows(thumbprint);
    await terminal.shows("Type yes if it is the same key");
    terminal.type("y\r");
    await terminal.shows("Type yes only if you have compared the key");
    terminal.type("es\r");
    expect(await terminal.code).toBe(0);
    const who = await finish(start(home, ["whoami", ...login.slice(2), "--json"], byForce));
    expect(JSON.parse(who.out)).toMatchObject({ identity: { organisation: "Control Room" } });
  });

  it("is not kept where that person ends it", async () => {
    const { home, login } = await newMachine("ended");
    const terminal = atTerminal(home, login, byForce);
    await terminal.shows("Type yes if it is the same key");
    terminal.type("\u0003");
    expect(await terminal.code).toBe(130);
    const again = await finish(start(home, login, byForce));
    expect(again).toMatchObject({ code: 2, err: expect.stringContaining("no public authority") });
  });
});
