import { randomUUID } from "node:crypto";
import { afterAll, beforeAll } from "@jest/globals";
import { openNetwork } from "../../src/platform/network.ts";
import { openBucket } from "../../src/stores/s3/open-bucket.ts";
import { unchecked } from "../../src/stores/s3/enforced.ts";
import { s3Store } from "../../src/stores/s3/store.ts";
import { describeStore } from "../contracts/store.ts";
import { bootCeph, type Ceph } from "../support/ceph.ts";
import { asUser, makeBucket } from "../support/s3-user.ts";
import { unlimited } from "../support/unlimited.ts";
import { systemClock } from "../support/server.ts";

let ceph: Ceph;
beforeAll(async () => {
  ceph = await bootCeph();
});
afterAll(() => ceph.close());

describeStore(
  "S3 (Ceph)",
  async () => {
    const user = { ...(await ceph.addUser()), url: ceph.url };
    Object.assign(process.env, asUser(user));
    const name = `contract-${randomUUID()}`;
    await makeBucket(user, name);
    const network = openNetwork({
      proxyUrl: undefined,
      noProxy: undefined,
      caPem: undefined,
      pace: unlimited,
    });
    let ordinal = 0;
    return {
      open: () => {
        const url = `s3://${name}/evidence?endpoint=${ceph.url}`;
        const bucket = openBucket(url, {
          network,
          clock: systemClock,
          customerKey: undefined,
        });
        const store = s3Store(
          bucket,
          {
            ...unchecked,
            payloadHash: true,
            contentMd5: true,
            versioning: "off",
            noOverwritePut: true,
          },
          systemClock,
        );
        return Promise.resolve(store);
      },
      newKey: (exhibit = "a") => {
        ordinal += 1;
        return `${exhibit === "a" ? "A-B" : "A"}/ABC_1/ABC_1-${String(ordinal).padStart(4, "0")}.bin`;
      },
      close: () => network.close(),
    };
  },
  5 * 1024 * 1024,
);
