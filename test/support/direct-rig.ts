import { randomBytes, randomUUID } from "node:crypto";
import { expect } from "@jest/globals";
import { sha256Of } from "../../src/evidence/digest.ts";
import type { DirectParts } from "../../src/evidence/ports/direct-parts.ts";
import type { Part, Store, Upload } from "../../src/evidence/ports/store.ts";
import { openNetwork } from "../../src/platform/network.ts";
import { partMemory } from "../../src/server/content/part-memory.ts";
import type { ServerDeps } from "../../src/server/deps.ts";
import type { S3Bucket } from "../../src/stores/s3/bucket.ts";
import { unchecked, type Enforced } from "../../src/stores/s3/enforced.ts";
// Loaded here, because jest cannot load several modules at once when they are first needed.
import "../../src/stores/s3/failures.ts";
import { openBucket } from "../../src/stores/s3/open-bucket.ts";
import { s3ServerContent } from "../../src/stores/s3/server-content.ts";
import { storeOf } from "../../src/stores/server/store.ts";
import { partsOf } from "../contracts/store-under-test.ts";
import { startAnsweringProxy, type AnsweringProxy } from "./answering-proxy.ts";
import { bootCeph, type Ceph } from "./ceph.ts";
import { asUser, makeBucket } from "./s3-user.ts";
import { keyIn, reserved } from "./sending.ts";
import { soon, startServer, systemClock, type Person, type TestServer } from "./server.ts";
import { unlimited } from "./unlimited.ts";

const mib = 1024 * 1024;
const partBytes = 5 * mib;
export const content = randomBytes(11 * mib);
const sha256 = sha256Of(content);
export const parts = partsOf(content, partBytes) as [Part, Part, Part];

/** What Ceph does, as a check finds it. */
export const enforced: Enforced = {
  ...unchecked,
  payloadHash: true,
  presignedDigest: true,
  contentMd5: true,
  versioning: "off",
  noOverwritePut: true,
};

/** Requests to an address that a client was given. */
export const toAddress = "X-Amz-Signature";

/** An upload to an exhibit server on a bucket, as its client and as its content store have it. */
export interface Sending {
  readonly person: Person;
  readonly store: Store;
  readonly upload: Upload;
  readonly direct: DirectParts;
  readonly bucket: S3Bucket;
  readonly server: TestServer;
  /** The upload as the content store calls it. */
  readonly inside: Upload;
  /** How many requests have gone to addresses that clients were given, and parts through the server. */
  counts(): { straight: number; through: number };
}

export interface SendingOptions {
  /** Changes the addresses that are given. */
  readonly change?: (direct: DirectParts) => DirectParts;
  /** What the bucket's address says beside its endpoint: `&sse=kms`. */
  readonly more?: string;
  /** How long the first address is good. */
  readonly firstLifeSeconds?: number;
}

/** Ceph behind a proxy, and uploads to servers on it. */
export interface DirectRig {
  readonly ceph: Ceph;
  readonly proxy: AnsweringProxy;
  /** An upload of {@link content} to a server of its own, begun. */
  begin(options?: SendingOptions): Promise<Sending>;
  /** Stops the servers, and takes the proxy's rules away. */
  reset(): Promise<void>;
  close(): Promise<void>;
}

export async function directRig(): Promise<DirectRig> {
  const ceph = await bootCeph();
  const proxy = await startAnsweringProxy(Number(new URL(ceph.url).port));
  const none = { proxyUrl: undefined, noProxy: undefined, caPem: undefined };
  const network = openNetwork({ ...none, pace: unlimited });
  const servers: TestServer[] = [];
  const bucketAt = (name: string, more = ""): S3Bucket => {
    const machine = { network, clock: systemClock, customerKey: undefined };
    return openBucket(`s3://${name}/evidence?endpoint=${proxy.url}${more}`, machine);
  };
  return {
    ceph,
    proxy,
    async begin({ change = (same: DirectParts) => same, more, firstLifeSeconds } = {}) {
      const user = { ...(await ceph.addUser()), url: ceph.url };
      Object.assign(process.env, asUser(user));
      const name = `direct-${randomUUID()}`;
      await makeBucket(user, name);
      const opened = bucketAt(name, more);
      const bucket = signingFirstFor(opened, firstLifeSeconds);
      const made: DirectParts[] = [];
      const wrap = (deps: ServerDeps): ServerDeps => {
        const inBucket = s3ServerContent(bucket, enforced, systemClock, partMemory(deps.database));
        const directParts = change(inBucket);
        made.push(directParts);
        return { ...deps, content: inBucket, grouped: undefined, directParts };
      };
      const server = await startServer({ wrap });
      servers.push(server);
      const person = await server.enrol("partner");
      const store = storeOf(person.session);
      const entry = await reserved(person, { totalBytes: content.length });
      const upload = await store.begin(keyIn(entry), content.length, partBytes, soon());
      const { content_id: id } = await server.deps.database
        .selectFrom("uploads")
        .select("content_id")
        .where("id", "=", upload.id)
        .executeTakeFirstOrThrow();
      const [direct] = made;
      if (direct === undefined) throw new Error("The server has made nothing of its content.");
      const from = proxy.requests.length;
      const seen = (): string[] => proxy.requests.slice(from).map(({ line }) => line);
      const through = '"route":"/v1/uploads/:id/parts/:offset"';
      return {
        ...{ person, store, upload, direct, server, bucket: opened, inside: { ...upload, id } },
        counts: () => ({
          straight: seen().filter((line) => line.includes(toAddress)).length,
          through: server.log.filter((line) => line.includes(through)).length,
        }),
      };
    },
    async reset() {
      proxy.rules = [];
      for (const server of servers.splice(0)) await server.stop();
    },
    async close() {
      await network.close();
      await proxy.close();
      await ceph.close();
    },
  };
}

function signingFirstFor(opened: S3Bucket, firstLifeSeconds: number | undefined): S3Bucket {
  let first = firstLifeSeconds;
  return {
    address: opened.address,
    customerKey: opened.customerKey,
    send: (...given) => opened.send(...given),
    stream: (...given) => opened.stream(...given),
    putTo: (...given) => opened.putTo(...given),
    close: () => opened.close(),
    presignPut(promised, usual) {
      const life = first ?? usual;
      first = undefined;
      return opened.presignPut(promised, life);
    },
  };
}

/** All parts are there, the whole is proved, and no address is in a line of the server's log. */
export async function expectWhole({ store, upload, server }: Sending): Promise<void> {
  const held = await store.listParts(upload, soon());
  expect(held.map(({ offset, digest }) => [offset, digest.hex])).toEqual(
    parts.map((part) => [part.offset, part.sha256]),
  );
  expect(await store.complete(upload, { sha256 }, soon())).toMatchObject({
    sha256,
    proof: "whole",
  });
  expect(server.log.filter((line) => /X-Amz-|uploadId=/i.test(line))).toEqual([]);
}
