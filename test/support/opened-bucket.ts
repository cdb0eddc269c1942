import { openNetwork } from "../../src/platform/network.ts";
import type { S3Bucket } from "../../src/stores/s3/bucket.ts";
import { openBucket } from "../../src/stores/s3/open-bucket.ts";
import { asUser, type S3User } from "./s3-user.ts";
import { systemClock } from "./server.ts";
import { unlimited } from "./unlimited.ts";

/** A bucket's folder `evidence` as the store opens it, with the keys of its user in this process's environment. */
export async function withBucket(
  who: S3User,
  name: string,
  use: (bucket: S3Bucket) => Promise<void>,
): Promise<void> {
  Object.assign(process.env, asUser(who));
  const network = openNetwork({
    proxyUrl: undefined,
    noProxy: undefined,
    caPem: undefined,
    pace: unlimited,
  });
  try {
    const machine = { network, clock: systemClock, customerKey: undefined };
    await use(openBucket(`s3://${name}/evidence?endpoint=${who.url}`, machine));
  } finally {
    await network.close();
  }
}
