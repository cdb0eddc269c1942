import { afterAll, beforeAll, expect, it } from "@jest/globals";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { finish, serve, start, type ServingProgram } from "../support/built-program.ts";
import { Recipient } from "../support/recipient.ts";
import { freePort } from "../support/free-port.ts";

/** Planted where labels could come from; none of them may be told. */
const secret = {
  case: "HARROW/4711",
  file: "victim-jane-doe.png",
  person: "Jane Doe",
  mail: "jane.doe@cps.example",
};
let folder: string;
let server: ServingProgram;
let metricsUrl: string;
let link: string;

async function exhibit(...argv: string[]): Promise<Record<string, unknown>> {
  const { code, out, err } = await finish(start(folder, [...argv, "--json"]));
  if (code !== 0) throw new Error(`${argv.join(" ")}: ${err}`);
  return JSON.parse(out.trim().split("\n").at(-1) ?? "") as Record<string, unknown>;
}

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "exhibit-metrics-"));
  const address = `127.0.0.1:${await freePort()}`;
  metricsUrl = `http://${address}/metrics`;
  const invitation = path.join(folder, "invitation");
  server = await serve(folder, [
    ...["--metrics-address", address, "--data", path.join(folder, "server")],
    ...["--invitation-file", invitation],
  ]);
  const login = start(folder, ["login", server.url, "--invite-stdin"]);
  login.stdin.write(await readFile(invitation));
  expect((await finish(login)).code).toBe(0);
  const { smokePicture } = await import("../../src/app/smoke-picture.ts");
  const file = path.join(folder, secret.file);
  await writeFile(file, smokePicture(300_000));
  await exhibit("upload", file, "--case", secret.case, "--initials", "XQZ", "--part-size", "64K");
  const shared = await exhibit(
    ...["share", "create", `${secret.case}:XQZ/1`, "--expires", "1d"],
    ...["--to", secret.person, "--email", secret.mail],
  );
  link = shared["link"] as string;
  const recipient = new Recipient(link);
  await recipient.give("WRONG-CODE");
  await recipient.give(shared["code"] as string);
  expect((await recipient.get()).status).toBe(200);
});
afterAll(async () => {
  await server.stop();
  await rm(folder, { recursive: true });
});

interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** Reads the text format strictly, by its own description: https://prometheus.io/docs/instrumenting/exposition_formats/ */
function parse(text: string): Sample[] {
  expect(text.endsWith("\n")).toBe(true);
  const samples: Sample[] = [];
  const types = new Map<string, string>();
  const helped = new Set<string>();
  for (const line of text.split("\n")) {
    if (line === "") continue;
    const comment = /^# (HELP|TYPE) ([a-zA-Z_:][a-zA-Z0-9_:]*) (.*)$/.exec(line);
    if (comment !== null) {
      const [, kind, name = "", rest = ""] = comment;
      if (kind === "TYPE") {
        expect(types.has(name)).toBe(false);
        expect(rest).toMatch(/^(?:counter|gauge|histogram|summary|untyped)$/);
        types.set(name, rest);
      } else {
        expect(helped.has(name)).toBe(false);
        helped.add(name);
      }
      continue;
    }
    const sample =
      /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{((?:[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\["\\n])*",?)*)\})? (\S+)$/.exec(
        line,
      );
    if (sample === null) throw new Error(`This is no sample: ${line}`);
    const [, name = "", labelText = "", value = ""] = sample;
    const family = name.replace(/_(?:bucket|sum|count)$/, "");
    expect(types.has(name) || types.get(family) === "histogram").toBe(true);
    const labels = Object.fromEntries(
      [...labelText.matchAll(/([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\]|\\.)*)"/g)].map(
        ([, label = "", text_ = ""]) => [label, text_],
      ),
    );
    const number = value === "+Inf" ? Infinity : Number(value);
    expect(Number.isNaN(number)).toBe(false);
    samples.push({ name, labels, value: number });
  }
  const seen = samples.map(({ name, labels }) => JSON.stringify([name, labels]));
  expect(new Set(seen).size).toBe(seen.length);
  return samples;
}

async function scrape(): Promise<{ text: string; samples: Sample[] }> {
  const answer = await fetch(metricsUrl);
  expect(answer.status).toBe(200);
  expect(answer.headers.get("content-type")).toBe("text/plain; version=0.0.4; charset=utf-8");
  const text = await answer.text();
  return { text, samples: parse(text) };
}

it("tells numbers in the text format, of what has just happened", async () => {
  const { samples } = await scrape();
  const value = (name: string, labels: Record<string, string> = {}): number | undefined =>
    samples.find(
      (sample) =>
        sample.name === name &&
        Object.entries(labels).every(([label, text]) => sample.labels[label] === text),
    )?.value;
  expect(value("exhibit_parts_received_total")).toBeGreaterThanOrEqual(4);
  expect(value("exhibit_shares_open")).toBe(1);
  expect(value("exhibit_viewing_sessions")).toBe(1);
  expect(value("exhibit_codes_refused_total", { reason: "wrong" })).toBe(1);
  expect(value("exhibit_codes_refused_total", { reason: "too-often" })).toBe(0);
  expect(value("exhibit_uploads_unfinished")).toBe(0);
  expect(value("exhibit_proving_jobs")).toBe(0);
  expect(value("exhibit_smokes_left")).toBe(0);
  expect(value("exhibit_network_bytes_total", { direction: "in" })).toBeGreaterThan(300_000);
  expect(value("exhibit_disk_free_bytes")).toBeGreaterThan(1e6);
  expect(value("exhibit_database_bytes")).toBeGreaterThan(1e4);
  expect(value("nodejs_eventloop_lag_seconds")).toBeGreaterThanOrEqual(0);
  expect(value("process_resident_memory_bytes")).toBeGreaterThan(1e7);
  const codes = { route: "/s/:token", method: "POST", status: "4xx" };
  expect(value("exhibit_requests_total", codes)).toBe(1);
  expect(value("exhibit_request_seconds_count", { route: "/s/:token" })).toBe(3);
});

it("tells no name, case, reference, token or address, whatever is asked for", async () => {
  for (const below of [
    `v1/exhibits/${secret.file}`,
    `${secret.person}?q=${secret.case}`,
    "s/%2e%2e",
  ]) {
    await fetch(`${server.url}/${below}`);
  }
  await fetch(`${server.url}/${secret.file}`, { method: "PROPFIND" }).catch(() => undefined);
  const { text } = await scrape();
  const token = new URL(link).pathname.split("/").at(-1) ?? "";
  for (const word of [...Object.values(secret), "jane", "4711", "XQZ", token, "127.0.0.1"]) {
    expect(text.toLowerCase()).not.toContain(word.toLowerCase());
  }
  expect(text).toContain('route="unknown"');
});

it("is not on the public address, and answers nothing else on its own", async () => {
  expect((await fetch(`${server.url}/metrics`)).status).toBe(404);
  const { origin } = new URL(metricsUrl);
  for (const [below, init] of [
    ["/", {}],
    ["/metrics?x", {}],
    ["/metrics", { method: "POST" }],
    ["/v1/server", {}],
  ] as const) {
    expect((await fetch(`${origin}${below}`, init)).status).toBe(404);
  }
});

it.each(["9464", "localhost:9464", "127.0.0.1", "127.0.0.1:99999", "::1:9464", "[127.0.0.1]:1"])(
  "refuses to answer at %s",
  async (address) => {
    const argv = ["serve", "--metrics-address", address, "--data", path.join(folder, "none")];
    const { newMachine } = await import("../support/cli.ts");
    const machine = await newMachine();
    const { code, err } = await machine.exhibit([...argv, "--json"]);
    expect([code, JSON.parse(err)]).toEqual([
      2,
      expect.objectContaining({ code: "usage.invalid" }),
    ]);
    await rm(machine.folder, { recursive: true });
  },
);
