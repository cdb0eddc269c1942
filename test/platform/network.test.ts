import { expect, it } from "@jest/globals";
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { openNetwork } from "../../src/platform/network.ts";
import { unlimited } from "../support/unlimited.ts";

const proxyUrl = "http://garage:secret@proxy.test:3128";

it.each([
  ["https://evidence.test", "", true],
  ["https://evidence.test", "evidence.test", false],
  ["https://EVIDENCE.test", "Evidence.Test", false],
  ["https://evidence.test.", "evidence.test", false],
  ["https://a.evidence.test", "evidence.test", false],
  ["https://a.evidence.test", ".evidence.test", false],
  ["https://a.evidence.test", "*.evidence.test", false],
  ["https://notevidence.test", "evidence.test", true],
  ["https://evidence.test.example", "evidence.test", true],
  ["https://evidence.test", "other.test, evidence.test", false],
  ["https://evidence.test", "other.test evidence.test", false],
  ["https://evidence.test", "evidence.test:443", false],
  ["https://evidence.test", "evidence.test:8443", true],
  ["https://evidence.test:8443", "evidence.test:8443", false],
  ["https://evidence.test:8443", "evidence.test", false],
  ["https://evidence.test", "*", false],
  ["https://10.1.2.3", "10.1.2.3", false],
  ["https://110.1.2.3", "10.1.2.3", true],
  ["https://[2001:db8::1]", "2001:db8::1", false],
  ["https://[2001:db8::1]", "2001:0DB8:0:0::1", false],
  ["https://[2001:db8::1]", "[2001:db8::1]", false],
  ["https://[2001:db8::1]:8443", "[2001:db8::1]:8443", false],
  ["https://[2001:db8::1]", "[2001:db8::1]:8443", true],
  ["https://[2001:db8::2]", "2001:db8::1", true],
  ["https://localhost:8080", "", false],
  ["http://127.0.0.2:8080", "", false],
  ["http://[::1]:8080", "", false],
])("reaches %s with NO_PROXY=%j through the proxy: %s", async (url, noProxy, isProxied) => {
  const network = openNetwork({ proxyUrl, noProxy, caPem: undefined, pace: unlimited });
  expect(network.proxyFor(url)).toBe(isProxied ? proxyUrl : undefined);
  const direct = network.route("http://127.0.0.1").dispatcher;
  expect(network.route(url).dispatcher === direct).toBe(!isProxied);
  await network.close();
});

it.each(["proxy.garage.test:3128", "garage:hunter2@proxy.test", "socks5://proxy.test:1080"])(
  "says how a proxy is written that is written as %s, and keeps its password to itself",
  async (wrong) => {
    const network = openNetwork({
      proxyUrl: wrong,
      noProxy: "",
      caPem: undefined,
      pace: unlimited,
    });
    expect(network.route("http://127.0.0.1").dispatcher).toBeDefined();
    const refused = expect.objectContaining({
      code: "usage.invalid",
      message: "HTTPS_PROXY does not hold a proxy's address.",
    });
    expect(() => network.route("https://evidence.test")).toThrow(refused);
    await network.close();
  },
);

/** Where connections are made, or the libraries that make them are used: each of these goes by the network's route. */
const connects = [
  "src/platform/doctor/reach.ts",
  "src/platform/fetching/ask-host.ts",
  "src/platform/network.ts",
  // The server's, which asks no proxy.
  "src/platform/smtp.ts",
  "src/stores/box/sign-in/grants.ts",
  "src/stores/box/sign-in/sign-in.ts",
  "src/stores/box/wire.ts",
  "src/stores/certificate-chain.ts",
  "src/stores/control-call.ts",
  "src/stores/s3/credentials.ts",
  "src/stores/s3/open-bucket.ts",
  "src/stores/server/data-plane.ts",
  "src/stores/server/provider/examine.ts",
  "src/stores/server/provider/on-page.ts",
  "src/stores/server/provider/provider.ts",
  "src/stores/server/sign-in.ts",
  "src/stores/server/stranger.ts",
];

it("knows every file of the client that connects: a new one has to go by the network's route, and come in here", async () => {
  const pattern =
    '(from|import\\() ?"(got|undici|openid-client|https-proxy-agent|nodemailer|@aws-sdk/[^"]*|node:https?|node:tls|node:net)"|await fetch\\(';
  const { stdout } = await promisify(execFile)(
    "grep",
    ["-rnE", pattern, "src", "--include=*.ts", "--exclude-dir=server", "--exclude-dir=main"],
    { cwd: new URL("../../", import.meta.url) },
  );
  const server = await promisify(execFile)("grep", ["-rnE", pattern, "src/stores/server"], {
    cwd: new URL("../../", import.meta.url),
  });
  const files = `${stdout}${server.stdout}`
    .split("\n")
    .filter(
      (line) =>
        line !== "" && !/import type|import \{ (?:BlockList|isIP|isIPv6|createServer)\b/.test(line),
    )
    .map((line) => line.split(":")[0] ?? "");
  expect([...new Set(files)].sort()).toEqual(connects);
});
