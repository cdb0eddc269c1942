import { createHash, X509Certificate } from "node:crypto";
import { once } from "node:events";
import { mkdir, readdir, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:https";
import type { AddressInfo, Server } from "node:net";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { sha256Of } from "../../src/evidence/digest.ts";
import type { ExhibitRecord } from "../../src/evidence/record.ts";
import { boxCertificates } from "../support/box/certificates.ts";
import { newMachine, type Machine, type Ran } from "../support/cli.ts";

let machine: Machine;
let council: Server;
let host: string;
let content = Buffer.from("the high street, 21 November");
const secret = "SECRET-kX9pQ2";
const link = (): string => `https://${host}/cctv/high%20street.mp4?sig=${secret}`;

beforeAll(async () => {
  machine = await newMachine();
  const { ca, cert, key } = boxCertificates();
  await writeFile(path.join(machine.folder, "ca.pem"), ca);
  council = createServer({ cert, key }, (request, response) => {
    if (request.url?.startsWith("/login") === true) {
      response.writeHead(200, { "content-type": "text/html" }).end("<html>");
      return;
    }
    response.writeHead(200, {
      "content-length": content.length,
      "content-type": "video/mp4",
      "last-modified": "Fri, 27 Nov 2026 08:00:00 GMT",
      etag: `"${sha256Of(content).slice(0, 8)}"`,
    });
    response.end(content);
  }).listen(0, "127.0.0.1");
  await once(council, "listening");
  host = `localhost:${(council.address() as AddressInfo).port}`;
  await mkdir(path.join(machine.folder, "nas"));
  await machine.exhibit(["store", "add", "nas", path.join(machine.folder, "nas")]);
});
afterAll(async () => {
  council.close();
  await rm(machine.folder, { recursive: true, force: true });
});

async function fetched(argv: readonly string[], input?: string): Promise<Ran> {
  const trust = ["--ca-file", path.join(machine.folder, "ca.pem")];
  const ran = await machine.exhibit(
    ["fetch", ...argv, ...trust, "--initials", "GN", "--json"],
    input === undefined ? {} : { input },
  );
  expect(ran.out + ran.err).not.toContain("SECRET");
  return ran;
}

const allowed = (): string[] => ["--case", "C1", "--allow-host", `${host}=127.0.0.0/8`];

describe("exhibit fetch", () => {
  it("makes an exhibit of a link from standard input, with its source in the signed record", async () => {
    const ran = await fetched(["-", ...allowed(), "--title", "High Street"], `${link()}\n`);
    expect([ran.code, ran.err]).toEqual([0, ""]);
    expect(ran.json()).toMatchObject({
      schema: "exhibit.fetch/1",
      exhibit: { reference: "GN/1", outcome: "uploaded" },
      arrived: { name: "high street.mp4", sha256: sha256Of(content) },
    });
    const shown = await machine.exhibit(["show", "C1:GN/1", "--json"]);
    expect(shown.out).not.toContain("SECRET");
    const { record } = shown.json() as unknown as { record: ExhibitRecord };
    const certificate = new X509Certificate(boxCertificates().cert);
    expect(record).toMatchObject({
      title: "High Street",
      sourceId: `link:${sha256Of(link())}`,
      files: [
        {
          path: "high street.mp4",
          modifiedAt: "2026-11-27T08:00:00.000Z",
          digest: { sha256: sha256Of(content) },
          fetched: {
            url: `https://${host}/cctv/high%20street.mp4`,
            urlSha256: sha256Of(link()),
            host,
            address: expect.stringMatching(/^127\.|^::1$/) as unknown,
            certificateSha256: createHash("sha256").update(certificate.raw).digest("hex"),
            headers: { contentType: "video/mp4" },
          },
        },
      ],
    });
    expect(await readdir(path.join(machine.folder, "state", "fetches"))).toEqual([]);
    const words = await machine.exhibit(["show", "C1:GN/1"]);
    expect(words.out).toContain(`fetched from https://${host}/cctv/high%20street.mp4`);
  });

  it("finds the same link with the same file there already", async () => {
    const ran = await fetched([link(), ...allowed()]);
    expect([ran.code, ran.json()]).toEqual([
      0,
      expect.objectContaining({
        exhibit: expect.objectContaining({
          reference: "GN/1",
          outcome: "already-present",
        }) as unknown,
      }),
    ]);
  });

  it("says so when the same link brings another file, and leaves the first as it is", async () => {
    content = Buffer.from("cut by somebody");
    const ran = await fetched([link(), ...allowed()]);
    expect([ran.code, (JSON.parse(ran.err) as { code: string }).code]).toEqual([
      8,
      expect.stringMatching(/^conflict\./),
    ]);
    expect(await readdir(path.join(machine.folder, "state", "fetches"))).toEqual([]);
    expect((await machine.exhibit(["verify", "C1:GN/1"])).code).toBe(0);
  });

  it.each([
    ["a host nobody allowed", () => [link(), "--case", "C1"], 9],
    ["a closed network nobody named", () => [link(), "--case", "C1", "--allow-host", host], 9],
    ["a page to sign in at", () => [`https://${host}/login?${secret}`, ...allowed()], 9],
    ["what is no link", () => [`://${secret}`, ...allowed()], 2],
    ["a password in the link", () => [`https://me:${secret}@${host}/`, ...allowed()], 2],
    ["a list of hosts that is none", () => [link(), "--case", "C1", "--allow-host", "*"], 2],
    ["a link without a case", () => [link()], 2],
    ["too much", () => [link(), ...allowed(), "--max-size", "1K", "--source-id", "x"], 0],
  ])("refuses %s", async (_what, argv, code) => {
    expect((await fetched(argv())).code).toBe(code);
  });

  it("takes its hosts from the environment and the configuration file", async () => {
    const argv = ["fetch", link(), "--case", "C2", "--ref", "GN/1", "--json"];
    const trust = ["--ca-file", path.join(machine.folder, "ca.pem")];
    const env = { EXHIBIT_FETCH_HOSTS: `a.example, ${host}=127.0.0.0/8` };
    expect((await machine.exhibit([...argv, ...trust], { env })).code).toBe(0);
  });
});
