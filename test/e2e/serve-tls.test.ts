import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { connect, type SecureVersion } from "node:tls";
import { expect, it } from "@jest/globals";
import { finish, serve, start } from "../support/built-program.ts";

/** The version that a server speaks with a client that knows one alone, old ones included; else why not. */
async function spoken(port: number, version: SecureVersion): Promise<string> {
  const socket = connect({
    host: "127.0.0.1",
    port,
    minVersion: version,
    maxVersion: version,
    ciphers: "DEFAULT@SECLEVEL=0",
    rejectUnauthorized: false,
  });
  try {
    await once(socket, "secureConnect");
    return socket.getProtocol() ?? "none";
  } catch (error) {
    return String((error as NodeJS.ErrnoException).code);
  } finally {
    socket.destroy();
  }
}

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
    const port = Number(new URL(server.url).port);
    expect(await spoken(port, "TLSv1.2")).toBe("TLSv1.2");
    expect(await spoken(port, "TLSv1.3")).toBe("TLSv1.3");
    expect(await spoken(port, "TLSv1.1")).toBe("ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION");
    expect(await spoken(port, "TLSv1")).toBe("ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION");
  } finally {
    expect(await server.stop()).toBe(0);
  }
  await rm(folder, { recursive: true });
}, 60_000);
