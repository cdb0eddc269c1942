import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { promisify } from "node:util";
import { expect, it } from "@jest/globals";
import { newMachine } from "../support/cli.ts";
import { startFaultProxy } from "../support/fault-proxy.ts";
import { startServer } from "../support/server.ts";

const concurrency = 4;
const partBytes = 64 * 1024;

it.each(["http", "https"])("over %s, parts and files share a few connections", async (scheme) => {
  const machine = await newMachine();
  const proxy = await startFaultProxy();
  const publicUrl = proxy.url.replace("http", scheme);
  const tls = scheme === "https" ? await certificate(machine.folder) : undefined;
  const server = await startServer({
    settings: { publicUrl },
    ...(tls === undefined ? {} : { tls: { ...tls, host: "127.0.0.1" } }),
  });
  proxy.upstreamPort = Number(new URL(server.url).port);
  const trust = tls === undefined ? [] : ["--ca-file", tls.file];
  const input = await server.invite("partner");
  await machine.exhibit(["login", publicUrl, "--invite-stdin", ...trust], { input });

  const large = path.join(machine.folder, "large.mp4");
  await writeFile(large, randomBytes(100 * partBytes));
  const many = path.join(machine.folder, "many");
  await mkdir(many);
  for (let i = 0; i < 100; i += 1) await writeFile(path.join(many, `${i}.wav`), randomBytes(1024));
  try {
    for (const source of [large, many]) {
      const before = proxy.connections;
      const ran = await machine.exhibit([
        ...["upload", source, "--case", "CON/1", "--one-exhibit", "--json", ...trust],
        ...["--part-size", String(partBytes), "--concurrency", String(concurrency)],
      ]);
      expect([ran.code, ran.err]).toEqual([0, ""]);
      // Parts and files have as many as may be in flight; control calls and sign-in their own.
      expect(proxy.connections - before).toBeLessThanOrEqual(2 * concurrency);
    }
    const parts = server.log.filter((line) => line.includes("/parts/:offset"));
    expect(parts.length).toBeGreaterThanOrEqual(100);
  } finally {
    await server.stop();
    await proxy.close();
    await rm(machine.folder, { recursive: true });
  }
});

async function certificate(folder: string): Promise<{ cert: Buffer; key: Buffer; file: string }> {
  const [file, keyFile] = [path.join(folder, "cert.pem"), path.join(folder, "key.pem")];
  // prettier-ignore
  await promisify(execFile)("openssl", [
    "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
    "-subj", "/CN=Test CA", "-addext", "subjectAltName=IP:127.0.0.1",
    "-keyout", keyFile, "-out", file,
  ]);
  return { cert: await readFile(file), key: await readFile(keyFile), file };
}
