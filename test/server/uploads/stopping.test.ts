import { once } from "node:events";
import { randomBytes } from "node:crypto";
import { connect } from "node:net";
import { expect, it } from "@jest/globals";
import { digestField, sha256Of } from "../../../src/evidence/digest.ts";
import { storeOf } from "../../../src/stores/server/store.ts";
import { partsOf } from "../../contracts/store-under-test.ts";
import { keyIn, reserved } from "../../support/sending.ts";
import { soon, startServer } from "../../support/server.ts";

it("a server that stops does not wait for a part that is only half there, and keeps the others", async () => {
  const server = await startServer();
  try {
    const partner = await server.enrol("partner");
    const entry = await reserved(partner);
    const store = storeOf(partner.session);
    const content = randomBytes(2000);
    const [first, second] = partsOf(content);
    if (first === undefined || second === undefined) throw new Error("too few parts");
    const upload = await store.begin(keyIn(entry), 2000, 1000, soon());
    await store.putPart(upload, first, soon());
    const token = await partner.session.accessToken(soon());
    const { hostname, port } = new URL(server.url);
    const socket = connect(Number(port), hostname);
    socket.on("error", () => undefined);
    socket.write(
      `PUT /v1/uploads/${upload.id}/parts/1000 HTTP/1.1\r\nhost: x\r\n` +
        `authorization: Bearer ${token}\r\ncontent-type: application/octet-stream\r\n` +
        `content-length: 1000\r\ncontent-digest: ${digestField(sha256Of(second.bytes))}\r\n` +
        `expect: 100-continue\r\n\r\n`,
    );
    await once(socket, "data");
    socket.write(second.bytes.subarray(0, 500));
    const closed = once(socket, "close");
    socket.resume();
    await Promise.all([server.restart(), closed]);
    expect((await store.listParts(upload, soon())).map((part) => part.offset)).toEqual([0]);
    await store.putPart(upload, second, soon());
    await store.complete(upload, { sha256: sha256Of(content) }, soon());
  } finally {
    await server.stop();
  }
});

it("a server that stops waits for what a caller who has hung up had begun", async () => {
  const [begun, go] = [new EventTarget(), new EventTarget()];
  const order: string[] = [];
  const server = await startServer({
    wrap: (deps) => ({
      ...deps,
      content: {
        ...deps.content,
        begin: async (key, bytes, partBytes) => {
          begun.dispatchEvent(new Event("now"));
          await once(go, "now");
          const upload = await deps.content.begin(key, bytes, partBytes, soon());
          // Longer at work than a server takes to close that does not wait.
          for (let times = 0; times < 100; times += 1) await deps.content.listParts(upload, soon());
          order.push("begun");
          return upload;
        },
      },
    }),
  });
  const partner = await server.enrol("partner");
  const store = storeOf(partner.session);
  const hangUp = new AbortController();
  const key = keyIn(await reserved(partner));
  const beginning = once(begun, "now");
  const asked = store.begin(key, 2000, 1000, hangUp.signal).catch(() => undefined);
  await beginning;
  hangUp.abort();
  await asked;
  const stopped = server.stop().then(() => order.push("stopped"));
  await refusing(server.url);
  go.dispatchEvent(new Event("now"));
  await stopped;
  expect(order).toEqual(["begun", "stopped"]);
});

/** Waits until nobody listens there any more. */
async function refusing(url: string): Promise<void> {
  const { hostname, port } = new URL(url);
  for (;;) {
    const socket = connect(Number(port), hostname);
    const heard = await once(socket, "connect").then(
      () => true,
      () => false,
    );
    socket.destroy();
    if (!heard) return;
  }
}
