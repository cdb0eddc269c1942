import { describe, expect, it } from "@jest/globals";
import { linkWithoutSecrets } from "../../src/evidence/fetched.ts";
import { whyRefused } from "../../src/platform/fetching/addresses.ts";
import { allowedHosts, entriesFor } from "../../src/platform/fetching/allowed-hosts.ts";
import { nameFor } from "../../src/platform/fetching/answer-facts.ts";
import { askHost } from "../../src/platform/fetching/ask-host.ts";

describe("what is allowed, kept and named of links", () => {
  it.each([
    ["127.0.0.1", true],
    ["10.1.2.3", true],
    ["172.31.0.1", true],
    ["172.32.0.1", false],
    ["192.168.1.1", true],
    ["169.254.169.254", true],
    ["100.64.0.1", true],
    ["100.128.0.1", false],
    ["0.0.0.0", true],
    ["224.0.0.1", true],
    ["255.255.255.255", true],
    ["8.8.8.8", false],
    ["::1", true],
    ["::", true],
    ["::ffff:127.0.0.1", true],
    ["::ffff:7f00:1", true],
    ["::ffff:8.8.8.8", false],
    ["64:ff9b::7f00:1", true],
    ["fe80::1%eth0", true],
    ["fd00::1", true],
    ["ff02::1", true],
    ["2002:7f00:1::", true],
    ["2001:db8::1", true],
    ["2a00:1450::1", false],
    ["no address", true],
  ])("%s must not be reached: %s", (address, isRefused) => {
    expect(whyRefused(address) !== undefined).toBe(isRefused);
  });

  it.each([
    ["*.council.example", "https://a.council.example/", 1],
    ["*.council.example", "https://council.example/", 0],
    ["*.council.example", "https://evilcouncil.example/", 0],
    ["council.example", "https://COUNCIL.example./", 1],
    ["council.example", "https://council.example:8443/", 0],
    ["council.example:8443", "https://council.example:8443/", 1],
    ["council.example", "https://a.council.example/", 0],
    ["council.example", "https://council.example.evil.example/", 0],
  ])("%s lets %s through %i times", (hosts, link, times) => {
    expect(entriesFor(new URL(link), allowedHosts(hosts, "--allow-host"))).toHaveLength(times);
  });

  it.each(["*", "*.uk", "https://council.example", "a b=c", "host=10.0.0.0/33", "host=10.0.0.0"])(
    "%s is not a host",
    (hosts) => {
      expect(() => allowedHosts(hosts, "EXHIBIT_FETCH_HOSTS")).toThrow(/EXHIBIT_FETCH_HOSTS/);
    },
  );

  it.each([
    [
      "https://a.example/cctv/bus42-2026-11-21-upper.mp4?sig=x#y",
      "https://a.example/cctv/bus42-2026-11-21-upper.mp4",
    ],
    ["https://a.example/s/EaX9kQ2pLm4Zt7Rw/file.mp4", "https://a.example/s/…/file.mp4"],
    ["https://a.example/550e8400-e29b-41d4-a716-446655440000.mp4", "https://a.example/…"],
  ])("%s is kept as %s", (link, kept) => {
    expect(linkWithoutSecrets(new URL(link))).toBe(kept);
  });

  it.each([
    ['attachment; filename="../../etc/passwd"', "passwd"],
    ['attachment; filename="C:\\\\Windows\\\\a.mp4"', "a.mp4"],
    ["attachment; filename*=UTF-8''Stra%C3%9Fe%20%E2%80%AEgpj.exe", "Straße gpj.exe"],
    ['attachment; filename="a\u0007\u0000.mp4"', "a.mp4"],
    ['attachment; filename=".."', "download"],
    [`attachment; filename="${"x".repeat(400)}.mp4"`, `${"x".repeat(146)}.mp4`],
    ["inline", "bus 42.mp4"],
  ])("%j names a file %s", (contentDisposition, name) => {
    expect(nameFor(new URL("https://a.example/x/bus%2042.mp4"), { contentDisposition })).toBe(name);
  });

  it("says that a host has no address, and not that it did not answer", async () => {
    const routes = { ca: undefined, proxyFor: () => undefined, userAgent: "test", stallMs: 9000 };
    const found = allowedHosts("nowhere.invalid", "--allow-host");
    const link = new URL("https://nowhere.invalid/x.mp4");
    const asked = askHost(link, found, {}, routes, AbortSignal.timeout(20_000));
    await expect(asked).rejects.toMatchObject({
      code: "unavailable.source",
      message: "This computer finds no address for nowhere.invalid.",
    });
  });
});
