import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe } from "@jest/globals";
import { openNetwork } from "../../src/platform/network.ts";
import type { S3Bucket } from "../../src/stores/s3/bucket.ts";
import type { Enforced } from "../../src/stores/s3/enforced.ts";
import { openBucket } from "../../src/stores/s3/open-bucket.ts";
import { checkBucket } from "../../src/stores/s3/probe/check-bucket.ts";
import { s3Store } from "../../src/stores/s3/store.ts";
import { describeStore } from "../contracts/store.ts";
import { signal, type StoreUnderTest } from "../contracts/store-under-test.ts";
import { bootCeph, type Ceph } from "../support/ceph.ts";
import { asUser, makeBucket, type S3User } from "../support/s3-user.ts";
import { bootSwift, type Swift } from "../support/swift.ts";
import { unlimited } from "../support/unlimited.ts";
import { systemClock } from "../support/server.ts";

const partBytes = 5 * 1024 * 1024;

/** A store in a new bucket, opened with what `store check` finds there. */
async function storeIn(
  user: S3User,
  kind: "plain" | "versioned",
  more: { readonly caPem?: string; readonly query?: string; readonly customerKey?: string } = {},
): Promise<StoreUnderTest & { readonly enforced: Enforced }> {
  Object.assign(process.env, asUser(user));
  const name = `contract-${randomUUID()}`;
  await makeBucket(user, name, kind);
  const { caPem, query = "", customerKey } = more;
  const network = openNetwork({ proxyUrl: undefined, noProxy: undefined, caPem, pace: unlimited });
  const url = `s3://${name}/evidence?endpoint=${user.url}${query}`;
  const open = (): S3Bucket => openBucket(url, { network, clock: systemClock, customerKey });
  const { enforced } = await checkBucket(open(), signal, (left) => {
    throw new Error(`The check has left something: ${JSON.stringify(left)}`);
  });
  let ordinal = 0;
  return {
    enforced,
    open: () => Promise.resolve(s3Store(open(), enforced, systemClock)),
    newKey: (exhibit = "a") => {
      ordinal += 1;
      return `${exhibit === "a" ? "A-B" : "A"}/ABC_1/ABC_1-${String(ordinal).padStart(4, "0")}.bin`;
    },
    close: () => network.close(),
  };
}

describe("on Ceph", () => {
  let ceph: Ceph;
  const user = async (): Promise<S3User> => ({ ...(await ceph.addUser()), url: ceph.url });
  beforeAll(async () => {
    ceph = await bootCeph();
  });
  afterAll(() => ceph.close());

  describeStore("S3 (Ceph)", async () => storeIn(await user(), "plain"), partBytes);
  describeStore(
    "S3 (Ceph, with versions)",
    async () => storeIn(await user(), "versioned"),
    partBytes,
  );
});

describe("on Swift", () => {
  let swift: Swift;
  beforeAll(async () => {
    swift = await bootSwift();
  }, 120_000);
  afterAll(() => swift.close());

  describeStore("S3 (Swift)", () => storeIn(swift, "plain"), partBytes);
});
