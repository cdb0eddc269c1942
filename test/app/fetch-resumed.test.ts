import { once } from "node:events";
import { readdir } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { fetchLink } from "../../src/app/fetch.ts";
import { resume } from "../../src/app/resume.ts";
import { sha256Of } from "../../src/evidence/digest.ts";
import { ExhibitError } from "../../src/evidence/errors.ts";
import { allowedHosts } from "../../src/platform/fetching/allowed-hosts.ts";
import { fetchedSource } from "../../src/platform/fetching/fetched-source.ts";
import { webFetcher } from "../../src/platform/fetching/fetcher.ts";
import { countedSource } from "../support/counted.ts";
import { makeClient, uploadOf, type TestClient } from "../support/client.ts";
import { soon } from "../support/server.ts";

const content = "the high street, 21 November";
let client: TestClient;
let deps: TestClient["deps"];
let council: Server;

beforeEach(async () => {
  client = await makeClient();
  council = createServer((_request, response) => response.end(content)).listen(0, "127.0.0.1");
  await once(council, "listening");
  const folder = spools();
  const hosts = allowedHosts(`${host()}=127.0.0.0/8`, "--allow-host");
  const routes = { ca: undefined, proxyFor: () => undefined, userAgent: "test", stallMs: 5000 };
  deps = {
    ...client.deps,
    source: countedSource(fetchedSource(folder)),
    fetcher: webFetcher({ folder, hosts, routes, now: () => new Date(), baseMs: 1 }),
  };
});
afterEach(async () => {
  council.close();
  await client.close();
});

const spools = (): string => path.join(client.folder, "state", "fetches");
const host = (): string => `127.0.0.1:${(council.address() as AddressInfo).port}`;
const spooled = async (): Promise<number> => {
  const names = await readdir(spools());
  const files = await Promise.all(
    names
      .filter((name) => !name.endsWith(".lock"))
      .map((name) => readdir(path.join(spools(), name))),
  );
  return files.flat().filter((name) => name === "content").length;
};
const fetchIt = () =>
  fetchLink(
    deps,
    {
      link: new URL(`http://${host()}/high%20street.mp4?sig=x`),
      mostBytes: 1000,
      exhibit: uploadOf([]),
    },
    soon(),
  );

const killed = (): never => {
  throw new Error("killed");
};

describe("what a link brought, and a command that ended before it was sealed", () => {
  it("stays on this computer until resume has sealed it and kept its receipt, and no longer", async () => {
    client.onConnect = ({ register }) => {
      const gone = new ExhibitError("unavailable.store", "The store is gone.");
      Object.assign(register, { sealRecord: () => Promise.reject(gone) });
    };
    await expect(fetchIt()).rejects.toThrow("The store is gone.");
    expect(await spooled()).toBe(1);
    expect((await resume(deps, {}, soon())).jobs[0]?.result?.failed.count).not.toBe(0);
    expect(await spooled()).toBe(1);
    client.onConnect = undefined;
    const { jobs } = await resume(deps, {}, soon());
    const [exhibit] = jobs[0]?.result?.exhibits ?? [];
    expect(exhibit?.contents[0]?.sha256).toBe(sha256Of(content));
    expect(await readdir(spools())).toEqual([]);
  });

  it.each([
    ["it was marked as sealed", "markSealed", 1],
    ["the command counted as finished", "finishJob", 1],
    ["it was removed", "discardSealed", 0],
  ] as const)("is removed by resume where it was killed before %s", async (_, step, open) => {
    const { fetcher, journal } = deps;
    const parts = { markSealed: fetcher, discardSealed: fetcher, finishJob: journal };
    const whole: unknown = Reflect.get(parts[step], step);
    Object.assign(parts[step], { [step]: killed });
    await expect(fetchIt()).rejects.toThrow("killed");
    Object.assign(parts[step], { [step]: whole });
    expect(await spooled()).toBe(1);
    const { jobs } = await resume(deps, {}, soon());
    expect(
      jobs.map(({ result }) => [...(result?.exhibits ?? [])].map(({ outcome }) => outcome)),
    ).toEqual(Array.from({ length: open }, () => ["already-present"]));
    expect(await readdir(spools())).toEqual([]);
  });
});
