import { z } from "zod";
import { ExhibitError, type ErrorCode } from "../../evidence/errors.ts";
import { withRetryAfter } from "../unreachable.ts";
import type { S3Answer } from "./bucket.ts";
import { readXml } from "./xml.ts";

type Known = readonly [code: ErrorCode, message: string, hint: string];

const keysRefused =
  "Check which keys and which profile are in use, and that they are for this store.";
const askAdministrator = "Ask whoever administers the store.";
const tryLater = "The store, or something before it, has too much to do. Try again later.";

/** What the codes of S3 and of engines like it stand for. */
const known: Readonly<Record<string, Known>> = {
  AccessDenied: [
    "policy.not-permitted",
    "The store does not permit this to these keys.",
    "Ask its administrator for the rights that docs/s3.md lists.",
  ],
  AllAccessDisabled: [
    "policy.not-permitted",
    "The store has closed this bucket.",
    askAdministrator,
  ],
  AccountProblem: [
    "policy.not-permitted",
    "The store has a problem with the account of these keys.",
    askAdministrator,
  ],
  UserSuspended: [
    "policy.not-permitted",
    "The store has suspended the user of these keys.",
    askAdministrator,
  ],
  InvalidAccessKeyId: ["auth.keys-refused", "The store does not know these keys.", keysRefused],
  SignatureDoesNotMatch: [
    "auth.keys-refused",
    "The secret key does not belong to the access key.",
    keysRefused,
  ],
  InvalidToken: [
    "auth.keys-refused",
    "The store does not take the session token of these keys.",
    keysRefused,
  ],
  ExpiredToken: [
    "auth.keys-refused",
    "The keys have expired.",
    "Sign in again, such as with: aws sso login.",
  ],
  AuthorizationHeaderMalformed: [
    "usage.invalid",
    "The bucket is in another region than the store's address says.",
    "Put its region into the address: region=NAME.",
  ],
  IllegalLocationConstraintException: [
    "usage.invalid",
    "The bucket is in another region than the store's address says.",
    "Put its region into the address: region=NAME.",
  ],
  PermanentRedirect: [
    "usage.invalid",
    "The bucket is in another region, or has another endpoint, than the store's address says.",
    "Put its region and endpoint into the address.",
  ],
  InvalidRegionName: [
    "usage.invalid",
    "The engine does not know the region in the store's address.",
    "Correct region=NAME in the address.",
  ],
  RequestTimeTooSkewed: [
    "auth.clock-wrong",
    "This computer's clock is too far off the store's.",
    "Set this computer's clock.",
  ],
  NoSuchBucket: [
    "not-found.store",
    "There is no such bucket.",
    "Check the bucket's name and the endpoint in the store's address.",
  ],
  InvalidBucketName: [
    "usage.invalid",
    "The engine takes no bucket of this name.",
    "Check the bucket's name in the store's address.",
  ],
  NoSuchKey: [
    "not-found.content",
    "The store holds nothing under this key.",
    "Check the exhibit's reference, and that its upload was finished.",
  ],
  NoSuchUpload: [
    "not-found.upload",
    "The store knows no such upload.",
    "Run the same command again: it begins anew where it must.",
  ],
  BadDigest: [
    "integrity.mismatch",
    "The store received other bytes than were sent.",
    "Run the same command again; if it happens again, tell your administrator.",
  ],
  XAmzContentSHA256Mismatch: [
    "integrity.mismatch",
    "The store received other bytes than were sent.",
    "Run the same command again; if it happens again, tell your administrator.",
  ],
  PreconditionFailed: [
    "conflict.exists",
    "Something else lies under this key already.",
    "It is never overwritten. Use another reference.",
  ],
  ConditionalRequestConflict: [
    "unavailable.busy",
    "Somebody else is writing under this key.",
    tryLater,
  ],
  OperationAborted: ["unavailable.busy", "Somebody else is writing under this key.", tryLater],
  QuotaExceeded: [
    "policy.quota",
    "The store's quota is used up.",
    "Ask its administrator for more room.",
  ],
  ServiceQuotaExceeded: [
    "policy.quota",
    "The store's quota is used up.",
    "Ask its administrator for more room.",
  ],
  InsufficientCapacity: ["unavailable.no-space", "The store has no room left.", askAdministrator],
  XMinioStorageFull: ["unavailable.no-space", "The store has no room left.", askAdministrator],
  EntityTooLarge: [
    "policy.too-large",
    "This is more than the store takes.",
    "Use another store, or ask its administrator about its limits and quota.",
  ],
  SlowDown: ["unavailable.busy", "The store is busy.", tryLater],
  ServiceUnavailable: ["unavailable.busy", "The store is busy.", tryLater],
  RequestTimeout: [
    "unavailable.store",
    "The store waited too long for the bytes of a request.",
    tryLater,
  ],
  InternalError: ["unavailable.store", "The store is in trouble.", tryLater],
  KMSDisabledException: [
    "policy.not-permitted",
    "The key that objects are encrypted with is disabled.",
    "Ask whoever administers the key service.",
  ],
  "KMS.DisabledException": [
    "policy.not-permitted",
    "The key that objects are encrypted with is disabled.",
    "Ask whoever administers the key service.",
  ],
  "KMS.NotFoundException": [
    "usage.invalid",
    "There is no such key to encrypt objects with.",
    "Correct kms-key=ID in the store's address.",
  ],
  NotImplemented: [
    "policy.unsupported",
    "The store cannot do this.",
    "Find out what it can: exhibit store check NAME.",
  ],
};

/** What statuses say where there is no document, as in every answer to HEAD. */
const byStatus: Readonly<Record<number, string>> = {
  301: "PermanentRedirect",
  403: "AccessDenied",
  412: "PreconditionFailed",
  429: "SlowDown",
  503: "SlowDown",
};

const errorSchema = z.object({ Code: z.string(), Region: z.string().optional() });

/** The code in a document of failure; undefined when it is none. It may come with status 200, too. */
export function errorCodeIn(body: Buffer): string | undefined {
  return body.length === 0 ? undefined : readXml(body, "Error", errorSchema)?.Code;
}

/** The failure that a refusal stands for. */
export function failureOf(answer: S3Answer): ExhibitError {
  const { status, headers, body } = answer;
  const document = readXml(body, "Error", errorSchema);
  const told = document?.Code ?? (body.length === 0 ? byStatus[status] : undefined);
  const region = document?.Region ?? headers["x-amz-bucket-region"];
  const facts = {
    status,
    ...(told === undefined ? {} : { s3Code: told }),
    ...(region === undefined ? {} : { region }),
  };
  const [code, message, hint] =
    (told === undefined ? undefined : known[told]) ?? unknown(status, told);
  return withRetryAfter(new ExhibitError(code, message, { hint, facts }), headers);
}

function unknown(status: number, told: string | undefined): Known {
  if (status >= 500 || status === 408 || status === 429) {
    return ["unavailable.store", `The store answered with status ${status}.`, tryLater];
  }
  if (told !== undefined) {
    return [
      "policy.unsupported",
      `The store refused a request: ${told} (status ${status}).`,
      "Find out what it can do: exhibit store check NAME.",
    ];
  }
  return [
    "unavailable.store",
    `What answers at the store's endpoint does not answer as S3 does (status ${status}).`,
    "Check the endpoint in the store's address: its host, its port, and https or http.",
  ];
}
