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
