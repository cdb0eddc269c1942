import { once } from "node:events";
import { createServer as createHttpServer } from "node:http";
import { connect, type AddressInfo } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { pino } from "pino";
import { openNetwork } from "../../src/platform/network.ts";
import { problemSchema } from "../../src/protocol/problem.ts";
import { createServer } from "../../src/server/server.ts";
import { send } from "../../src/stores/control-call.ts";
import { soon, startServer, type TestServer } from "../support/server.ts";
import { unlimited } from "../support/unlimited.ts";

let server: TestServer;
/** How long a server takes to stop that has a request in hand whose body never arrives whole. Begun first: the others run meanwhile. */
let stopping: Promise<number>;
beforeAll(async () => {
  server = await startServer();
  stopping = stopWithHalfABody();
});
afterAll(() => server.stop());

describe("the server", () => {
  it("is not healthy when its content does not answer for 5 s", async () => {
    const content = { ...server.deps.content, stat: () => new Promise<never>(() => undefined) };
    const app = await createServer({ ...server.deps, content }, pino({ level: "silent" }));
    expect((await app.inject("/healthz")).statusCode).toBe(503);
    await app.close();
  });

  const statement = "/v1/server?nonce=n0nce-n0nce-n0nce-n0nce";
  it.each([statement, "/oauth/jwks"])(
    "limits what one address asks of %s, and says when to come back",
    async (url) => {
      const app = await createServer(server.deps, pino({ level: "silent" }));
      for (let n = 0; n < 300; n += 1) expect((await app.inject(url)).statusCode).toBe(200);
      const refused = await app.inject(url);
      const other = await app.inject({ url, remoteAddress: "192.0.2.7" });
      await app.close();
      expect(problemSchema.parse(refused.json())).toMatchObject({
        status: 429,
        code: "unavailable.rate-limited",
      });
      expect(Number(refused.headers["retry-after"])).toBeGreaterThan(0);
      expect(other.statusCode).toBe(200);
    },
  );

  it.each([
    ["believes a proxy that it trusts", ["127.0.0.1"], 200],
    ["does not believe a stranger", [], 429],
  ])("%s about whose request it is", async (_, trustProxy, status) => {
    const settings = { ...server.deps.settings, trustProxy };
    const app = await createServer({ ...server.deps, settings }, pino({ level: "silent" }));
    const from = (address: string) =>
      app.inject({ url: statement, headers: { "x-forwarded-for": address } });
    for (let n = 0; n < 300; n += 1) await from("192.0.2.1");
    expect((await from("192.0.2.2")).statusCode).toBe(status);
    await app.close();
  });

  it.each([
    ["https://evidence.example.police.uk", "max-age=31536000"],
    ["http://127.0.0.1:8080", undefined],
  ])("tells browsers that come to %s to come by TLS alone: %s", async (publicUrl, told) => {
    const settings = { ...server.deps.settings, publicUrl };
    const app = await createServer({ ...server.deps, settings }, pino({ level: "silent" }));
    const answer = await app.inject(statement);
    await app.close();
    expect(answer.headers["strict-transport-security"]).toBe(told);
  });

  it("counts the addresses of one IPv6 network as one, because whoever has one has all", async () => {
    const app = await createServer(server.deps, pino({ level: "silent" }));
    const from = (remoteAddress: string) => app.inject({ url: statement, remoteAddress });
    for (let n = 0; n < 300; n += 1) await from(`2001:db8:1:2::${n.toString(16)}`);
    const [same, other] = [await from("2001:db8:1:2:ffff::1"), await from("2001:db8:1:3::1")];
    await app.close();
    expect([same.statusCode, other.statusCode]).toEqual([429, 200]);
  });

  it.each([
    ["invitations", "/v1/invitations", 60],
    ["shares", "/v1/shares", 240],
  ] as const)(
    "limits how many %s one identity makes in an hour, from wherever",
    async (_, url, most) => {
      const [busy, other] = [await server.enrol("admin"), await server.enrol("admin")];
      const app = await createServer(server.deps, pino({ level: "silent" }));
      const ask = async ({ session }: typeof busy, n: number) =>
        app.inject({
          method: "POST",
          url,
          payload: {},
          remoteAddress: `192.0.2.${n % 250}`,
          headers: { authorization: `Bearer ${await session.accessToken(soon())}` },
        });
      for (let n = 0; n < most; n += 1) expect((await ask(busy, n)).statusCode).toBe(400);
      const refused = await ask(busy, 0);
      expect((await ask(other, 0)).statusCode).toBe(400);
      await app.close();
      expect(problemSchema.parse(refused.json())).toMatchObject({
        status: 429,
        code: "unavailable.rate-limited",
      });
      expect(Number(refused.headers["retry-after"])).toBeGreaterThan(3000);
    },
  );

  it.each([
    ["waits for a short while and goes on", "1", 200, 2],
    ["is told of a long while, and does not wait", "3000", 429, 1],
  ])("the client %s", async (_, retryAfter, status, tries) => {
    let asked = 0;
    const other = createHttpServer((_request, response) => {
      asked += 1;
      const limited = asked === 1;
      response.writeHead(limited ? 429 : 200, limited ? { "retry-after": retryAfter } : {}).end();
    }).listen(0, "127.0.0.1");
    await once(other, "listening");
    const url = `http://127.0.0.1:${(other.address() as AddressInfo).port}/`;
    const none = { proxyUrl: undefined, noProxy: undefined, caPem: undefined };
    const network = openNetwork({ ...none, pace: unlimited });
    const route = network.route(url);
    const call = { url, method: "GET", headers: {}, body: undefined } as const;
    const answer = await send(route, call, soon());
    await network.close();
    other.close();
    other.closeAllConnections();
    expect([answer.status, asked]).toEqual([status, tries]);
  });

  it("cuts off, when it stops, a request whose body never arrives whole", async () => {
    expect(await stopping).toBeLessThan(20_000);
  }, 30_000);
});

async function stopWithHalfABody(): Promise<number> {
  const app = await createServer(server.deps, pino({ level: "silent" }));
  const { hostname, port } = new URL(await app.listen({ host: "127.0.0.1", port: 0 }));
  const socket = connect(Number(port), hostname).on("error", () => undefined);
  const arrived = once(app.server, "request");
  socket.write("POST /oauth/token HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\n");
  socket.write("content-type: application/x-www-form-urlencoded\r\n\r\nhalf");
  await arrived;
  const start = performance.now();
  await app.close();
  const tookMs = performance.now() - start;
  socket.destroy();
  return tookMs;
}
