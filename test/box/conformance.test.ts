import { createHash, randomBytes } from "node:crypto";
import { Readable } from "node:stream";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { BoxCcgAuth, BoxClient, BoxJwtAuth, CcgConfig, JwtConfig } from "box-node-sdk";
import { UpdateFileWatermarkRequestBodyWatermarkField } from "box-node-sdk/managers/fileWatermarks";
import type { UploadPart } from "box-node-sdk/schemas";
import sdk4 from "box-node-sdk-4";
import { startBox, type Box } from "../support/box/box.ts";

// Clients that are not ours, as they are published: what they get done here they get done at Box.

const MiB = 1024 * 1024;

let box: Box;

/** The calls used of the older client, whose own types say `any`. */
interface OlderClient {
  readonly files: {
    uploadFile(folder: string, name: string, content: Buffer): Promise<Uploaded>;
    getReadStream(id: string): Promise<AsyncIterable<Buffer>>;
    delete(id: string): Promise<void>;
    getChunkedUploader(
      folder: string,
      size: number,
      name: string,
      content: Buffer,
    ): Promise<{ start(): Promise<Uploaded> }>;
    applyWatermark(id: string, options: object | null): Promise<void>;
    getWatermark(id: string): Promise<{ created_at: string }>;
    removeWatermark(id: string): Promise<void>;
    update(id: string, change: object): Promise<{ shared_link: { url: string } }>;
  };
  readonly folders: {
    getItems(id: string, options: object): Promise<{ entries: { name: string }[] }>;
  };
}
interface Uploaded {
  readonly entries: readonly { readonly id: string; readonly sha1: string }[];
}

function sha1(bytes: Buffer): string {
  return createHash("sha1").update(bytes).digest("hex");
}

async function collected(stream: AsyncIterable<Buffer>): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for await (const piece of stream) pieces.push(piece);
  return Buffer.concat(pieces);
}

describe("box-node-sdk 10, over HTTP", () => {
  let client: BoxClient;

  beforeAll(async () => {
    // Its calls about links end in `#add_shared_link?fields=...`, so that no server ever hears of `fields`.
    const settings = { minimumSessionBytes: 1, partBytes: MiB, linkUnasked: true };
    box = await startBox({ settings });
    const { clientId, clientSecret } = box.app;
    const config = new CcgConfig({ clientId, clientSecret, userId: box.users.officer.id });
    client = new BoxClient({ auth: new BoxCcgAuth({ config }) }).withCustomBaseUrls({
      baseUrl: box.apiUrl,
      uploadUrl: `${box.uploadUrl}/api`,
      oauth2Url: `${box.authorizeUrl}/api/oauth2`,
    });
  });
  afterAll(() => box.close());

  test("signs in with the file that the console hands out", async () => {
    const config = JwtConfig.fromConfigJsonString(JSON.stringify(box.jwtConfig()));
    const robot = new BoxClient({ auth: new BoxJwtAuth({ config }) }).withCustomBaseUrls({
      baseUrl: box.apiUrl,
      uploadUrl: `${box.uploadUrl}/api`,
      oauth2Url: `${box.authorizeUrl}/api/oauth2`,
    });
    expect((await robot.users.getUserMe()).login).toBe(box.users.service.login);
    expect((await client.users.getUserMe()).login).toBe(box.users.officer.login);
  });

  test("uploads in one request, with its digest", async () => {
    const bytes = randomBytes(100_000);
    await client.uploads.preflightFileUploadCheck({
      name: "simple.bin",
      size: bytes.length,
      parent: { id: "0" },
    });
    const { entries } = await client.uploads.uploadFile({
      attributes: { name: "simple.bin", parent: { id: "0" } },
      file: Readable.from([bytes]),
    });
    const [file] = entries ?? [];
    expect(box.tree().get("simple.bin")).toMatchObject({ id: file?.id, sha1: sha1(bytes) });
    expect(box.requests.at(-1)?.headers["content-md5"]).toBe(sha1(bytes));
    expect(box.unsound).toEqual([]);
  });

  test.each([2 * MiB, 2 * MiB + 1, 3 * MiB - 1])(
    "uploads %i bytes in parts of a MiB, downloads and deletes them",
    async (size) => {
      const bytes = randomBytes(size);
      const name = `${size}.bin`;
      const stream = Readable.from([bytes]);
      const file = await client.chunkedUploads.uploadBigFile(stream, name, size, "0");
      expect(file).toMatchObject({ size, sha1: sha1(bytes) });
      const back = await client.downloads.downloadFile(file.id);
      expect((await collected(back as AsyncIterable<Buffer>)).equals(bytes)).toBe(true);
      await client.files.deleteFileById(file.id);
      expect(box.tree().has(name)).toBe(false);
      expect(box.unsound).toEqual([]);
    },
  );

  test("commits when it is asked often enough", async () => {
    const bytes = randomBytes(2 * MiB);
    box.settings.commitNotReady = 3;
    const session = await client.chunkedUploads.createFileUploadSession({
      folderId: "0",
      fileSize: bytes.length,
      fileName: "patience.bin",
    });
    const { uploadPart = "", commit = "" } = session.sessionEndpoints ?? {};
    const parts: UploadPart[] = [];
    for (const at of [0, 1]) {
      const piece = bytes.subarray(at * MiB, (at + 1) * MiB);
      const { part } = await client.chunkedUploads.uploadFilePartByUrl(
        uploadPart,
        Readable.from([piece]),
        {
          digest: `sha=${createHash("sha1").update(piece).digest("base64")}`,
          contentRange: `bytes ${at * MiB}-${(at + 1) * MiB - 1}/${bytes.length}`,
        },
      );
      if (part !== undefined) parts.push(part);
    }
    const digest = `sha=${createHash("sha1").update(bytes).digest("base64")}`;
    const commitOnce = () =>
      client.chunkedUploads.createFileUploadSessionCommitByUrl(commit, { parts }, { digest });
    for (let time = 0; time < 3; time += 1) {
      expect(await commitOnce()).toBeUndefined();
      expect(box.requests.at(-1)?.status).toBe(202);
    }
    const files = await commitOnce();
    box.settings.commitNotReady = 0;
    expect(files?.entries?.[0]).toMatchObject({ name: "patience.bin", sha1: sha1(bytes) });
    expect(box.unsound).toEqual([]);
  });

  test("makes folders, lists them and is told of conflicts", async () => {
    const folder = await client.folders.createFolder({ name: "Case", parent: { id: "0" } });
    const again = client.folders.createFolder({ name: "case", parent: { id: "0" } });
    await expect(again).rejects.toMatchObject({
      responseInfo: { statusCode: 409, code: expect.stringContaining("item_name_in_use") },
    });
    for (let at = 0; at < 5; at += 1) {
      await client.folders.createFolder({ name: `sub ${at}`, parent: { id: folder.id } });
    }
    const names: (string | undefined)[] = [];
    let marker: string | undefined;
    do {
      const page = await client.folders.getFolderItems(folder.id, {
        queryParams: { usemarker: true, limit: 2, ...(marker === undefined ? {} : { marker }) },
      });
      names.push(...(page.entries ?? []).map(({ name }) => name));
      marker = page.nextMarker === "" ? undefined : (page.nextMarker ?? undefined);
    } while (marker !== undefined);
    expect(names).toEqual(["sub 0", "sub 1", "sub 2", "sub 3", "sub 4"]);
    expect(box.unsound).toEqual([]);
  });

  test("shares a marked copy by a link, and takes it back", async () => {
    const { entries } = await client.uploads.uploadFile({
      attributes: { name: "share.bin", parent: { id: "0" } },
      file: Readable.from([Buffer.from("abc")]),
    });
    const copy = await client.files.copyFile(entries?.[0]?.id ?? "", {
      name: "copy.bin",
      parent: { id: "0" },
    });
    const watermark = new UpdateFileWatermarkRequestBodyWatermarkField({ imprint: "default" });
    await client.fileWatermarks.updateFileWatermark(copy.id, { watermark });
    expect((await client.fileWatermarks.getFileWatermark(copy.id)).watermark).toBeDefined();
    const shared = await client.sharedLinksFiles.addShareLinkToFile(
      copy.id,
      { sharedLink: { access: "open", password: "Long-enough-1" } },
      { fields: "shared_link,watermark_info" },
    );
    const { sharedLink } = shared;
    expect(sharedLink).toMatchObject({ access: "open", isPasswordEnabled: true });
    const boxapi = `shared_link=${sharedLink?.url ?? ""}`;
    const find = (headers: { boxapi: string }) =>
      client.sharedLinksFiles.findFileForSharedLink({}, headers);
    await expect(find({ boxapi })).rejects.toMatchObject({ responseInfo: { statusCode: 403 } });
    const found = await find({ boxapi: `${boxapi}&shared_link_password=Long-enough-1` });
    expect(found.id).toBe(copy.id);
    await client.sharedLinksFiles.removeSharedLinkFromFile(
      copy.id,
      { sharedLink: null },
      { fields: "shared_link" },
    );
    await expect(find({ boxapi })).rejects.toMatchObject({ responseInfo: { statusCode: 404 } });
    expect(box.unsound).toEqual([]);
  });

  test("invites, describes, asks for files and reads what happened", async () => {
    const folder = await client.folders.createFolder({ name: "Shared", parent: { id: "0" } });
    const invited = await client.userCollaborations.createCollaboration({
      item: { type: "folder", id: folder.id },
      accessibleBy: { type: "user", login: box.users.partner.login },
      role: "uploader",
    });
    expect(invited.status).toBe("accepted");
    await client.userCollaborations.deleteCollaborationById(invited.id);
    const { entries } = await client.uploads.uploadFile({
      attributes: { name: "described.bin", parent: { id: folder.id } },
      file: Readable.from([Buffer.from("abc")]),
    });
    const id = entries?.[0]?.id ?? "";
    await client.fileMetadata.createFileMetadataById(id, "global", "properties", { sha256: "ab" });
    await client.fileMetadata.updateFileMetadataById(id, "global", "properties", [
      { op: "replace", path: "/sha256", value: "cd" },
    ]);
    const metadata = await client.fileMetadata.getFileMetadataById(id, "global", "properties");
    expect(metadata.extraData).toMatchObject({ sha256: "cd" });
    const template = box.fileRequest(box.users.officer, folder.id);
    const request = await client.fileRequests.createFileRequestCopy(template, {
      folder: { id: folder.id, type: "folder" },
      title: "Footage",
    });
    expect(request).toMatchObject({ title: "Footage", status: "active" });
    const events = await client.events.getEvents({ streamType: "all" });
    const types = (events.entries ?? []).map(({ eventType }) => eventType);
    expect(types).toEqual(expect.arrayContaining(["ITEM_UPLOAD", "COLLAB_REMOVE_COLLABORATOR"]));
    await expect(client.events.getEvents({ streamType: "admin_logs" })).rejects.toMatchObject({
      responseInfo: { statusCode: 403 },
    });
    expect(box.unsound).toEqual([]);
  });
});

describe("box-node-sdk 4, over HTTPS", () => {
  let client: OlderClient;

  beforeAll(async () => {
    const settings = { minimumSessionBytes: 1, partBytes: MiB, sessionsOnUploadHost: true };
    box = await startBox({ tls: true, settings });
    const sdk = new sdk4.default({
      clientID: box.app.clientId,
      clientSecret: box.app.clientSecret,
      apiRootURL: box.apiUrl,
      uploadAPIRootURL: `${box.uploadUrl}/api`,
      authorizeRootURL: `${box.authorizeUrl}/api`,
      request: { agentOptions: { ca: box.caPem } },
    });
    client = sdk.getBasicClient(box.developerToken(box.users.officer)) as unknown as OlderClient;
  });
  afterAll(() => box.close());

  test("uploads, downloads and deletes", async () => {
    const bytes = randomBytes(50_000);
    const { entries } = await client.files.uploadFile("0", "simple.bin", bytes);
    const id = entries[0]?.id ?? "";
    expect(box.tree().get("simple.bin")).toMatchObject({ id, sha1: sha1(bytes) });
    const back = await client.files.getReadStream(id);
    expect((await collected(back)).equals(bytes)).toBe(true);
    const items = await client.folders.getItems("0", { usemarker: "true" });
    expect(items.entries.map(({ name }) => name)).toEqual(["simple.bin"]);
    await client.files.delete(id);
    expect(box.tree().size).toBe(0);
    expect(box.unsound).toEqual([]);
  });

  test.each([2 * MiB, 2 * MiB + 1])("uploads %i bytes in parts, 202 honoured", async (size) => {
    const bytes = randomBytes(size);
    box.settings.commitNotReady = 1;
    const uploader = await client.files.getChunkedUploader("0", size, `${size}.bin`, bytes);
    const { entries } = await uploader.start();
    expect(entries[0]?.sha1).toBe(sha1(bytes));
    expect(box.content(entries[0]?.id ?? "").equals(bytes)).toBe(true);
    expect(box.requests.filter(({ status }) => status === 202).length).toBeGreaterThan(0);
    expect(box.unsound).toEqual([]);
  });

  test("shares and marks", async () => {
    const { entries } = await client.files.uploadFile("0", "share.bin", Buffer.from("abc"));
    const id = entries[0]?.id ?? "";
    await client.files.applyWatermark(id, null);
    expect(await client.files.getWatermark(id)).toHaveProperty("created_at");
    const shared = await client.files.update(id, {
      shared_link: { access: "open" },
      fields: "shared_link",
    });
    expect(shared.shared_link.url).toContain(box.authorizeUrl);
    await client.files.removeWatermark(id);
    expect(box.unsound).toEqual([]);
  });
});
