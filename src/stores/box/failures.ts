import { z } from "zod";
import { ExhibitError, type ErrorCode } from "../../evidence/errors.ts";
import { withRetryAfter } from "../unreachable.ts";
import type { BoxAnswer } from "./api.ts";

type Known = readonly [code: ErrorCode, message: string, hint: string];

const tryLater = "Try again later.";
const nameTaken = "It is never overwritten. Use another reference, or rename what lies there.";
const askForRights =
  "Ask the owner of the folder, or Box's administrator, for the Editor role there.";
const againWithRun = "Run the same command again: it begins a fresh upload.";

/** What Box's codes mean here (Box: common errors). */
const known: Readonly<Record<string, Known>> = {
  item_name_in_use: ["conflict.exists", "Something else in Box has this name already.", nameTaken],
  name_temporarily_reserved: ["unavailable.busy", "Box is still busy with this name.", tryLater],
  operation_blocked_temporary: [
    "unavailable.busy",
    "Box is still busy with this folder.",
    tryLater,
  ],
  storage_limit_exceeded: [
    "unavailable.no-space",
    "The account in Box has no room left.",
    "Ask Box's administrator for more room.",
  ],
  file_size_limit_exceeded: [
    "policy.too-large",
    "This file is larger than the plan in Box allows.",
    "Use another store, or have the recorder export it in several files.",
  ],
  access_denied_insufficient_permissions: [
    "policy.not-permitted",
    "This account may not do that in Box.",
    askForRights,
  ],
  access_denied_item_locked: [
    "policy.not-permitted",
    "It is locked in Box.",
    "Ask whoever locked it, or Box's administrator.",
  ],
  forbidden: ["policy.not-permitted", "This account may not do that in Box.", askForRights],
  insufficient_scope: [
    "policy.not-permitted",
    "The application in Box lacks a permission for that.",
    "docs/box.md says which ones it needs. Ask Box's administrator.",
  ],
  bad_digest: [
    "integrity.mismatch",
    "Box received other bytes than were sent.",
    "Run the same command again; if it happens again, tell your administrator.",
  ],
  parts_mismatch: [
    "integrity.mismatch",
    "Box does not hold all parts of the file.",
    "Run the same command again: what is missing is sent.",
  ],
  session_expired: ["not-found.upload", "The upload has expired in Box.", againWithRun],
  upload_failed: ["not-found.upload", "Box has given this upload up.", againWithRun],
  invalid_upload_session_id: ["not-found.upload", "Box does not know this upload.", againWithRun],
  item_name_invalid: [
    "usage.invalid",
    "Box does not take this name.",
    "Use another case or reference.",
  ],
  item_name_too_long: ["usage.invalid", "Box takes names of 255 characters.", "Use a shorter one."],
  rate_limit_exceeded: ["unavailable.rate-limited", "Box asks for fewer requests.", tryLater],
  too_many_requests: ["unavailable.rate-limited", "Box asks for fewer requests.", tryLater],
  not_found: [
    "not-found.content",
    "Box shows this account nothing there.",
    "Check the folder's id, and that this account may see the folder.",
  ],
  trashed: ["not-found.content", "It lies in the trash of Box.", "Restore it there."],
  invalid_api_version: [
    "policy.unsupported",
    "Box does not take this version of its interface any more.",
    "Use a newer version of exhibit.",
  ],
};

/** What statuses say where there is no document of Box's, or none that we know. */
const byStatus: Readonly<Record<number, string>> = {
  404: "not_found",
  412: "item_name_in_use",
  429: "rate_limit_exceeded",
  507: "storage_limit_exceeded",
};

const errorSchema = z.object({
  code: z.string(),
  request_id: z.string().optional(),
});

/** Box's own word for what went wrong; undefined where it said none. */
export function boxCodeOf({ body }: Pick<BoxAnswer, "body">): string | undefined {
  return errorSchema.safeParse(body).data?.code;
}

/** The failure that a refusal stands for, or an answer that makes no sense. Box's own message is left out: it may name files. */
export function failureOf({ status, headers, body }: BoxAnswer): ExhibitError {
  const document = errorSchema.safeParse(body).data;
  const boxCode = document?.code;
  const requestId = document?.request_id;
  const facts = {
    status,
    ...(boxCode === undefined ? {} : { boxCode }),
    ...(requestId === undefined ? {} : { requestId }),
  };
  const [code, message, hint] = meaningOf(status, boxCode);
  return withRetryAfter(new ExhibitError(code, message, { hint, facts }), headers);
}

function meaningOf(status: number, boxCode: string | undefined): Known {
  const told = known[boxCode ?? ""] ?? known[byStatus[status] ?? ""];
  if (told !== undefined) return told;
  if (status >= 500 || status === 408) {
    return ["unavailable.store", `Box answered with status ${status}.`, tryLater];
  }
  if (boxCode !== undefined && (status === 401 || status === 403)) {
    return ["policy.not-permitted", `Box refused: ${boxCode}.`, askForRights];
  }
  if (boxCode !== undefined) {
    return ["policy.unsupported", `Box refused a request: ${boxCode}.`, "See docs/box.md."];
  }
  return [
    "unavailable.store",
    `What answers there does not answer as Box does (status ${status}).`,
    "Check the store's address, and the settings of your proxy.",
  ];
}
