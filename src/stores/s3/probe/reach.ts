import { ExhibitError } from "../../../evidence/errors.ts";
import type { StoreFinding } from "../../../evidence/ports/store-probe.ts";
import { errorCodeIn, failureOf } from "../failures.ts";
import { locationIn } from "./answers.ts";
import { isFine } from "./reaction.ts";
import type { Scratch } from "./scratch.ts";

/**
 * Makes sure that the bucket is there, and that what answers speaks S3.
 *
 * @throws ExhibitError as {@link failureOf}; `not-found.store` where something else answers
 */
export async function reachBucket(scratch: Scratch): Promise<StoreFinding> {
  const { address } = scratch.bucket;
  const answer = await scratch.send({ method: "GET", key: undefined, query: { location: "" } });
  const region = locationIn(answer);
  const code = errorCodeIn(answer.body);
  if (region === undefined && code === undefined) {
    throw new ExhibitError(
      "not-found.store",
      `${address.endpoint ?? "The endpoint"} answers, but not as S3 does (status ${answer.status}).`,
      { hint: "Check the endpoint in the store's address: its host, its port, and https or http." },
    );
  }
  if (!isFine(answer) && code !== "AccessDenied") throw failureOf(answer);
  // The first region has no name in this answer.
  const named = region === "" ? "us-east-1" : region;
  return {
    id: "region",
    what: "The bucket answers, and says its region",
    outcome: named === undefined ? "denied" : "works",
    detail: named === undefined ? undefined : `${named}, asked as ${address.region}`,
  };
}

/** Stores and reads one small object. @throws ExhibitError as {@link failureOf} where that is not permitted, or does not fit */
export async function requireWritable(scratch: Scratch): Promise<void> {
  const body = Buffer.from("written and read");
  const key = scratch.key("written");
  const stored = await scratch.put(key, body);
  if (!isFine(stored)) throw failureOf(stored);
  const read = await scratch.send({ method: "GET", key });
  if (!isFine(read)) throw failureOf(read);
  if (read.body.equals(body)) return;
  throw new ExhibitError(
    "integrity.mismatch",
    "The store gave back other bytes than it was sent.",
    {
      hint: "Something between here and the store changes content. Do not use it for evidence.",
    },
  );
}
