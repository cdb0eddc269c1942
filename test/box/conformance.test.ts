import { createHash, randomBytes } from "node:crypto";
import { Readable } from "node:stream";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { BoxCcgAuth, BoxClient, CcgConfig } from "box-node-sdk";
import { startBox, type Box } from "../support/box/box.ts";

const MiB = 1024 * 1024;

describe("box-node-sdk 10 over HTTP", () => {
  let box: Box;
  let client: BoxClient;

  beforeAll(async () => {
    box = await startBox({ settings: { minimumSessionBytes: 1, partBytes: MiB } });
    const auth = new BoxCcgAuth({
      config: new CcgConfig({
        clientId: box.app.clientId,
        clientSecret: box.app.clientSecret,
        userId: box.users.officer.id,
      }),
    });
    client = new BoxClient({ auth }).withCustomBaseUrls({
      baseUrl: box.apiUrl,
      uploadUrl: `${box.uploadUrl}/api`,
      oauth2Url: `${box.authorizeUrl}/api/oauth2`,
    });
  });
  afterAll(() => box.close());

  test("uploads simply", async () => {
    const bytes = randomBytes(100_000);
    const { entries } = await client.uploads.uploadFile({
      attributes: { name: "a.bin", parent: { id: "0" } },
      file: Readable.from([bytes]),
    });
    expect(box.tree().get("a.bin")).toMatchObject({
      id: entries?.[0]?.id,
      size: bytes.length,
      sha1: createHash("sha1").update(bytes).digest("hex"),
    });
  });

  test.each([2 * MiB, 2 * MiB + 1, 3 * MiB - 1])("uploads %i bytes in parts", async (size) => {
    const bytes = randomBytes(size);
    const file = await client.chunkedUploads.uploadBigFile(
      Readable.from([bytes]),
      `big-${size}.bin`,
      size,
      "0",
    );
    expect(box.content(file.id).equals(bytes)).toBe(true);
    const stream = await client.downloads.downloadFile(file.id);
    const back: Buffer[] = [];
    for await (const piece of stream as AsyncIterable<Buffer>) back.push(piece);
    expect(Buffer.concat(back).equals(bytes)).toBe(true);
    await client.files.deleteFileById(file.id);
    expect(box.tree().has(`big-${size}.bin`)).toBe(false);
    expect(box.crashes).toEqual([]);
    expect(box.violations).toEqual([]);
  });
});
