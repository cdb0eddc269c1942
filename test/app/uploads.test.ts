import { randomBytes } from "node:crypto";
import { readdir } from "node:fs/promises";
import path from "node:path";
import {
  afterAll,
  afterEach,
  beforeAll,
  beforeEach,
  describe,
  expect,
  it,
  jest,
} from "@jest/globals";
import type { UploadRequest } from "../../src/app/upload.ts";
import { abortUpload, listUploads } from "../../src/app/uploads.ts";
import {
  breakOffUpload,
  makeClient,
  resume,
  uploadOf,
  type TestClient,
} from "../support/client.ts";
import { soon, startServer, type Person, type TestServer } from "../support/server.ts";

jest.setTimeout(30_000);
const partBytes = 64 * 1024;

let server: TestServer;
let person: Person;
beforeAll(async () => {
  server = await startServer();
  person = await server.enrol("partner");
});
afterAll(async () => {
  await server.stop();
});

describe.each([
  ["a folder", () => makeClient()],
  ["an exhibit server", () => makeClient(server.url, person.machine)],
])("what is unfinished at %s", (_kind, make) => {
  let client: TestClient;
  let ordinal = 0;
  let caseRef = "";
  beforeEach(async () => {
    client = await make();
    ordinal += 1;
    caseRef = `U${ordinal}/26`;
  });
  afterEach(async () => {
    await client.close();
  });
  const ask = (paths: readonly string[]): UploadRequest => uploadOf(paths, { case: caseRef });

  it("is listed, aborted by upload, exhibit or job, and then not known any more", async () => {
    const file = await client.write("a.mp4", randomBytes(6 * partBytes));
    for (const target of ["upload", "exhibit", "job"] as const) {
      await breakOffUpload(client, ask([file]), 4);
      const { uploads: all, jobs } = await listUploads(client.deps, {}, soon());
      const uploads = all.filter((upload) => upload.case === caseRef);
      const [item] = uploads;
      expect(uploads).toMatchObject([{ case: caseRef, reference: "ABC/1", location: file }]);
      expect(item?.receivedBytes).toBeGreaterThan(0);
      const names = { upload: item?.id, exhibit: `${caseRef}:ABC/1`, job: jobs[0]?.id };
      const aborted = await abortUpload(client.deps, { target: names[target] ?? "" }, soon());
      expect(aborted).toMatchObject({ aborted: [{ id: item?.id }], jobs: [{ paths: [file] }] });
      const left = await listUploads(client.deps, {}, soon());
      expect(left.uploads.map((upload) => upload.case)).not.toContain(caseRef);
      expect(left.jobs).toEqual([]);
      expect(await readdir(path.join(client.folder, "state", "queues"))).toEqual([]);
    }
    await expect(abortUpload(client.deps, { target: "nothing" }, soon())).rejects.toMatchObject({
      code: "not-found.upload",
    });
  });

  it.each(["upload", "exhibit", "job"] as const)(
    "is resumed by its %s, alone of two, and refused in words once it is done",
    async (target) => {
      const [first, second] = await Promise.all(
        ["a.mp4", "b.mp4"].map((name) => client.write(name, randomBytes(6 * partBytes))),
      );
      for (const file of [first ?? "", second ?? ""]) await breakOffUpload(client, ask([file]), 4);
      const { uploads, jobs } = await listUploads(client.deps, {}, soon());
      const item = uploads.find(({ location }) => location === second);
      const names = {
        upload: item?.id,
        exhibit: `${caseRef}:${item?.reference ?? ""}`,
        job: jobs.find(({ paths }) => paths[0] === second)?.id,
      };
      const done = await resume(client.deps, { target: names[target] ?? "" }, soon());
      expect(done.jobs).toMatchObject([{ paths: [second], result: { failed: [] } }]);
      expect(client.deps.journal.openJobs()).toMatchObject([{ request: { paths: [first] } }]);
      await expect(
        resume(client.deps, { target: names[target] ?? "" }, soon()),
      ).rejects.toMatchObject({ code: "not-found.upload" });
    },
  );

  it("is not over for the other files of its folder when one of them is aborted", async () => {
    const file = await client.write("cam/a.mp4", randomBytes(6 * partBytes));
    await client.write("cam/b.mp4", randomBytes(100));
    const folder = path.dirname(file);
    await breakOffUpload(client, ask([folder]), 2);
    const { uploads } = await listUploads(client.deps, {}, soon());
    const item = uploads.find(({ location }) => location === file);
    const aborted = await abortUpload(client.deps, { target: item?.id ?? "" }, soon());
    expect(aborted).toMatchObject({ aborted: [{ id: item?.id }], jobs: [] });
    const { jobs } = await resume(client.deps, {}, soon());
    expect(jobs[0]?.result?.exhibits).toHaveLength(2);
  });
});
