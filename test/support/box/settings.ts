/** What a test turns to make the simulated tenant a different one. Everything may be changed while it runs. */
export interface BoxSettings {
  /** Check every request and answer against Box's OpenAPI document. */
  validate: boolean;
  /** Smallest file that a session is made for, in bytes. */
  minimumSessionBytes: number;
  /** Size of the parts of the next session, in bytes. */
  partBytes: number;
  /** Days that a session lives. */
  sessionDays: number;
  /** Whether sessions are also answered on the upload origin, as Box does for clients that build addresses themselves. */
  sessionsOnUploadHost: boolean;
  /** Most entries on one page of a list, below what the client asks for. */
  pageEntries: number;
  /** How often a commit is answered with 202 before it takes effect. */
  commitNotReady: number;
  /** Seconds that a 202 and a 429 ask to wait. */
  retryAfterSeconds: number;
  /** Whether a second session for one name in one folder is answered with the first, as `409 session_conflict`. */
  sessionConflicts: boolean;
  /** How often the download of a fresh file is answered with 202. */
  downloadNotReady: number;
  /** Space of each user, in bytes, unless the user has their own. */
  spaceBytes: number;
  /** Largest file that the plan allows, in bytes. */
  planFileBytes: number;
  /** Seconds that an access token lives. */
  accessTokenSeconds: number;
  /** Days that a refresh token lives. */
  refreshTokenDays: number;
  /** Whether the next stream positions are numbers or strings. */
  streamPositions: "number" | "string";
  /** Milliseconds until an event is seen in `admin_logs`. */
  adminLogsDelayMs: number;
  /** Whether `admin_logs_streaming` repeats and shuffles. */
  untidyStreaming: boolean;
  /** Whether the plan has watermarks. */
  watermarks: boolean;
  /** Which files cannot be marked, and what happens on trying: nothing at all, or a refusal. */
  unmarkable: { name: RegExp; then: "nothing" | "refuse" } | undefined;
  /** What the enterprise's policy narrows shared links to, whatever was asked. */
  linkPolicy: { access: "open" | "company" | "collaborators"; canDownload: boolean };
  /** Whether items tell of their link also where `fields` does not ask for it. */
  linkUnasked: boolean;
  /** Access of a link that was asked for without one. */
  linkDefaultAccess: "open" | "company" | "collaborators";
  /** Whether a collaboration may have an end. */
  collaborationExpiry: boolean;
  /** How a second invitation of the same person is refused: Box has done both. */
  collaborationConflict: 400 | 409;
  /** Whether outsiders may be invited. */
  externalCollaboration: boolean;
  /** Domains that outsiders may be of; all where there is none. */
  allowedDomains: readonly string[];
  /** Name of the policy that says where content lies. */
  storagePolicy: string;
  /** Whether the application may act as other users. */
  asUserAllowed: boolean;
  /** Whether the application may read the enterprise's events and settings. */
  enterpriseScope: boolean;
  /** Fields of `GET /enterprise_configurations` that differ from the usual ones, by category. */
  enterprise: Record<string, Record<string, unknown>>;
}

const MiB = 1024 * 1024;
/** Part sizes that runs differ in, so that nobody relies on one of them. */
const usualPartSizes = [6 * MiB, 8 * MiB, 10 * MiB] as const;

export function usualSettings(): BoxSettings {
  return {
    validate: true,
    minimumSessionBytes: 20_000_000,
    partBytes: usualPartSizes[Math.floor(Math.random() * usualPartSizes.length)] ?? 8 * MiB,
    sessionDays: 7,
    sessionsOnUploadHost: false,
    pageEntries: 1000,
    commitNotReady: 0,
    retryAfterSeconds: 1,
    sessionConflicts: false,
    downloadNotReady: 0,
    spaceBytes: 10 * 1024 ** 4,
    planFileBytes: 50 * 1024 ** 3,
    accessTokenSeconds: 3600,
    refreshTokenDays: 60,
    streamPositions: "string",
    adminLogsDelayMs: 0,
    untidyStreaming: true,
    watermarks: true,
    unmarkable: undefined,
    linkPolicy: { access: "open", canDownload: true },
    linkUnasked: false,
    linkDefaultAccess: "company",
    collaborationExpiry: true,
    collaborationConflict: 400,
    externalCollaboration: true,
    allowedDomains: [],
    storagePolicy: "UK",
    asUserAllowed: true,
    enterpriseScope: true,
    enterprise: {},
  };
}
