import { execFileSync } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { expect, it } from "@jest/globals";
import { finish, serve, start } from "../support/built-program.ts";

it("exhibit serve speaks TLS with its certificate, to those who trust it", async () => {
  const folder = await mkdtemp(path.join(tmpdir(), "exhibit-tls-"));
  const file = (name: string): string => path.join(folder, name);
  // prettier-ignore
  execFileSync("openssl", [
    "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
    "-subj", "/CN=Test CA", "-addext", "subjectAltName=IP:127.0.0.1",
    "-keyout", file("key.pem"), "-out", file("cert.pem"),
  ], { stdio: "ignore" });
  const tls = ["--tls-cert", file("cert.pem"), "--tls-key", file("key.pem")];
  const invitation = file("invitation.txt");
  const argv = ["--data", file("data"), "--invitation-file", invitation, ...tls];
  const server = await serve(folder, argv);
  expect(server.url).toMatch(/^https:/);
  const login = async (...more: string[]): ReturnType<typeof finish> => {
    const child = start(folder, ["login", server.url, "--invite-stdin", "--json", ...more]);
    child.stdin.write(await readFile(invitation));
    return finish(child);
  };
  try {
    const stranger = await login();
    expect([stranger.out, stranger.err]).toEqual(["", expect.stringMatching(/certificate/i)]);
    const admin = await login("--ca-file", file("cert.pem"));
    expect([admin.err, admin.code]).toEqual(["", 0]);
    await expect(fetch(server.url.replace("https:", "http:"))).rejects.toThrow("fetch failed");
  } finally {
    expect(await server.stop()).toBe(0);
  }
  await rm(folder, { recursive: true });
}, 60_000);
