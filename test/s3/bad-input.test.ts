import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { finish, start } from "../support/built-program.ts";
import { bootCeph, type Ceph } from "../support/ceph.ts";
import { ask, asUser, makeBucket, type S3User } from "../support/s3-user.ts";

let ceph: Ceph;
let user: S3User;
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "exhibit-s3-bad-"));
  ceph = await bootCeph();
  user = { ...(await ceph.addUser()), url: ceph.url };
  await makeBucket(user, "bucket");
});
afterAll(async () => {
  await ceph.close();
  await rm(folder, { recursive: true, force: true });
});

interface Failure {
  readonly code: string;
  readonly message: string;
  readonly hint: string;
}

async function failing(
  who: NodeJS.ProcessEnv,
  ...argv: string[]
): Promise<{ exit: number | null; failure: Failure }> {
  const { code, out, err } = await finish(start(folder, [...argv, "--json"], who));
  if (err === "") {
    const [failure] = (JSON.parse(out) as { readonly failed: readonly [Failure] }).failed;
    return { exit: code, failure };
  }
  return { exit: code, failure: JSON.parse(err.trim().split("\n").at(-1) ?? "") as Failure };
}

function at(bucket: string, url: string, more = ""): string {
  return `s3://${bucket}/evidence?endpoint=${encodeURIComponent(url)}${more}`;
}

describe("what is wrong about a store in S3 is said, with a way on", () => {
  it.each([
    ["wrong secret", 4, "auth.keys-refused", () => ({ secretAccessKey: "wrong" })],
    ["unknown key", 4, "auth.keys-refused", () => ({ accessKeyId: "NOBODY" })],
    ["no keys", 4, "auth.no-credentials", () => ({ accessKeyId: "", secretAccessKey: "" })],
    ["missing bucket", 5, "not-found.store", () => ({ bucket: "nowhere" })],
    ["bucket of somebody else", 9, "policy.not-permitted", async () => ceph.addUser()],
    [
      "suspended user",
      9,
      "policy.not-permitted",
      async () => {
        const one = await ceph.addUser();
        await ceph.suspend(one);
        return one;
      },
    ],
    [
      "http on a port that speaks TLS",
      7,
      "unavailable.store",
      () => ({ url: ceph.tls.url.replace("https:", "http:") }),
    ],
    [
      "https on a port that speaks http",
      7,
      "unavailable.store",
      () => ({ url: ceph.url.replace("http:", "https:") }),
    ],
    ["certificate of nobody we trust", 9, "policy.insecure-address", () => ({ url: ceph.tls.url })],
  ] as const)("%s", async (_, exit, code, otherwise) => {
    const who = { ...user, bucket: "bucket", ...(await otherwise()) };
    const found = await failing(asUser(who), "list", "--store", at(who.bucket, who.url));
    expect(found).toMatchObject({ exit, failure: { code } });
    expect(found.failure.hint).toMatch(/./);
  });

  it("an endpoint that is not S3", async () => {
    const server = createServer((_, answer) => answer.end("<html>Welcome</html>"));
    await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
    const { port } = server.address() as AddressInfo;
    const store = at("bucket", `http://127.0.0.1:${port}`);
    const { exit, failure } = await failing(asUser(user), "list", "--store", store);
    server.closeAllConnections();
    server.close();
    expect([exit, failure.code]).toEqual([7, "unavailable.store"]);
    expect(failure.hint).toContain("endpoint");
  });

  it.each([
    ["s3://bucket/../other?region=eu-west-2"],
    ["s3://bucket/a/%2e%2e/b?region=eu-west-2"],
    ["s3://bucket/a//b?region=eu-west-2"],
    [`s3://bucket/${"x".repeat(900)}?region=eu-west-2`],
    ["s3://KEY:SECRET@bucket/x?region=eu-west-2"],
    ["s3://bucket/x?region=eu-west-2&secret=1"],
    ["s3://bucket/x"],
    ["s3://b/x?region=eu-west-2"],
    ["s3://bucket/x?endpoint=ftp://127.0.0.1"],
    ["s3://bucket/x?region=eu-west-2&style=neither"],
    ["s3://bucket/x?region=eu-west-2&sse=rot13"],
  ])("%s is no address", async (address) => {
    const { exit, failure } = await failing(asUser(user), "store", "add", "bad", address);
    expect([exit, failure.code]).toEqual([2, "usage.invalid"]);
    expect(failure.hint).toMatch(/s3:\/\/BUCKET|https/);
  });

  it("a bucket that was not tried out takes nothing that could not be proved", async () => {
    const file = path.join(folder, "unchecked.bin");
    await writeFile(file, "bytes");
    await makeBucket(user, "unchecked");
    const argv = ["upload", file, "--case", "C/1", "--ref", "ABC/1", "--store"];
    const found = await failing(asUser(user), ...argv, at("unchecked", user.url));
    expect(found).toMatchObject({ exit: 6, failure: { code: "integrity.proof-too-weak" } });
    expect(found.failure.hint).toContain("exhibit store check");
    expect((await ask(user, "GET", "/unchecked")).text).not.toContain("<Key>");
    // Unless it is read back.
    const back = [...argv, at("unchecked", user.url), "--require-proof", "read-back", "--json"];
    const uploaded = await finish(start(folder, back, asUser(user)));
    expect(uploaded).toMatchObject({ code: 0, err: "" });
    expect(uploaded.out).toContain('"proof":"read-back"');
  });

  it("a quota that is used up is told in the middle of a part, and nothing is retried for ever", async () => {
    const one = await ceph.addUser();
    const who = { ...one, url: ceph.url };
    await makeBucket(who, "full");
    const store = at("full", ceph.url);
    const check = await finish(start(folder, ["store", "check", store], asUser(who)));
    expect(check.code).toBe(0);
    await ceph.limit(one, 1024 * 1024);
    const file = path.join(folder, "large.bin");
    await writeFile(file, Buffer.alloc(16 * 1024 * 1024, 1));
    const argv = ["upload", file, "--case", "C/1", "--ref", "ABC/1", "--store", store];
    const found = await failing(asUser(who), ...argv, "--part-size", "5M");
    expect(found).toMatchObject({ exit: 9, failure: { code: "policy.quota" } });
    const listed = await finish(start(folder, ["uploads", "list", "--store", store], asUser(who)));
    expect([listed.code, listed.out]).toEqual([0, expect.stringContaining("ABC/1")]);
    const aborted = await finish(
      start(folder, ["uploads", "abort", "C/1:ABC/1", "--store", store], asUser(who)),
    );
    expect(aborted.code).toBe(0);
    expect((await ask(who, "GET", "/full", { query: "uploads=" })).text).not.toContain("<Upload>");
  });

  it("other content under a key that is taken", async () => {
    await makeBucket(user, "taken");
    const store = at("taken", user.url);
    expect((await finish(start(folder, ["store", "check", store], asUser(user)))).code).toBe(0);
    const argv = ["--case", "C/1", "--ref", "ABC/1", "--store", store];
    const files = ["one.bin", "two.bin"].map((name) => path.join(folder, name));
    for (const file of files) await writeFile(file, file);
    const [one = "", two = ""] = files;
    expect((await finish(start(folder, ["upload", one, ...argv], asUser(user)))).code).toBe(0);
    const found = await failing(asUser(user), "upload", two, ...argv);
    expect(found).toMatchObject({ exit: 8, failure: { code: "conflict.exists" } });
  });
});
