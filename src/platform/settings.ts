import { z } from "zod";
import { ExhibitError } from "../evidence/errors.ts";
import { proofSchema } from "../evidence/proof.ts";
import { parseDuration, parseSize } from "../evidence/quantities.ts";
import { initialsSchema } from "../evidence/reference.ts";
import { parseTimetable, type Timetable } from "../evidence/timetable.ts";
import type { Config } from "./config.ts";

/** Where each setting may come from, by the names people type. The first that has a value counts. */
export const settingOrigins = {
  store: { flag: "--store", variable: "EXHIBIT_STORE", key: "defaultStore" },
  initials: { flag: "--initials", variable: "EXHIBIT_INITIALS", key: "initials" },
  caFile: { flag: "--ca-file", variable: "EXHIBIT_CA_FILE", key: "caFile" },
  concurrency: { flag: "--concurrency", variable: "EXHIBIT_CONCURRENCY", key: "concurrency" },
  partSize: { flag: "--part-size", variable: "EXHIBIT_PART_SIZE", key: "partSize" },
  requireProof: { flag: "--require-proof", variable: "EXHIBIT_REQUIRE_PROOF", key: "requireProof" },
  bwlimit: { flag: "--bwlimit", variable: "EXHIBIT_BWLIMIT", key: "bwlimit" },
  giveUpAfter: {
    flag: "--give-up-after",
    variable: "EXHIBIT_GIVE_UP_AFTER",
    key: "giveUpAfter",
  },
  fetchHosts: { flag: "--allow-host", variable: "EXHIBIT_FETCH_HOSTS", key: "fetchHosts" },
  keyFile: { flag: "--key-file", variable: "EXHIBIT_KEY_FILE", key: undefined },
  clientId: { flag: "--client-id", variable: "EXHIBIT_BOX_CLIENT_ID", key: "boxClientId" },
} as const;
type Origins = typeof settingOrigins;
export type SettingName = keyof Origins;

/** What was given on the command line, as typed. */
export type GivenSettings = Readonly<Partial<Record<SettingName, string | undefined>>> & {
  readonly insecureStorage?: boolean | undefined;
};

export interface Settings {
  readonly store: string | undefined;
  readonly initials: string | undefined;
  readonly caFile: string | undefined;
  readonly concurrency: number;
  readonly partBytes: number;
  readonly requireProof: z.infer<typeof proofSchema>;
  readonly bwlimit: Timetable;
  /** Infinite where nobody said so. */
  readonly giveUpAfterMs: number;
  /** Hosts that links may lead to, with commas or blanks between; "" for none. */
  readonly fetchHosts: string;
  readonly keyFile: string | undefined;
  /** Of the application that signs in at Box. */
  readonly clientId: string | undefined;
  /** Secrets go to, or are looked for in, a plain file because someone said so by name. */
  readonly insecureStorage: boolean;
}

/** A size alone proves nothing, so nobody may ask for it. */
const acceptableProofs = proofSchema.exclude(["size"]).options;

const settingsSchema = z.strictObject({
  store: z.string().min(1, "must not be empty").optional(),
  initials: initialsSchema.optional(),
  caFile: z.string().min(1, "must not be empty").optional(),
  concurrency: z
    .string()
    .regex(/^(?:[1-9]|[12][0-9]|3[0-2])$/, "must be a whole number from 1 to 32")
    .transform(Number)
    .default(4),
  partSize: z.string().default("8M"),
  requireProof: z
    .enum(acceptableProofs, `must be one of ${acceptableProofs.join(", ")}`)
    .default("transport"),
  bwlimit: z.string().default("off"),
  giveUpAfter: z.string().optional(),
  fetchHosts: z.string().default(""),
  keyFile: z.string().min(1, "must not be empty").optional(),
  clientId: z
    .string()
    .regex(/^[\w-]{1,64}$/, "must be a client id of Box")
    .optional(),
});

const largestPartBytes = 512 * 1024 * 1024;
const smallestPartBytes = 64 * 1024;

/**
 * Settles every setting by flag > `EXHIBIT_*` > config file > default, and checks them once.
 *
 * @throws ExhibitError `usage.invalid`, naming the flag, variable or file key that is wrong
 */
export function settle(
  given: GivenSettings,
  env: Readonly<Record<string, string | undefined>>,
  config: Config,
): Settings {
  const raw: Partial<Record<SettingName, string>> = {};
  const origin: Partial<Record<SettingName, string>> = {};
  for (const name of Object.keys(settingOrigins) as SettingName[]) {
    const { flag, variable, key } = settingOrigins[name];
    const stored = key === undefined ? undefined : config[key];
    const found = [
      [given[name], flag],
      [env[variable] === "" ? undefined : env[variable], variable],
      [stored?.toString(), `"${key ?? ""}" in the configuration file`],
    ].find(([value]) => value !== undefined);
    if (found?.[0] === undefined) continue;
    raw[name] = found[0];
    origin[name] = found[1] ?? "";
  }
  const parsed = settingsSchema.safeParse(raw);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    const name = issue?.path[0] as SettingName;
    throw new ExhibitError(
      "usage.invalid",
      `${origin[name] ?? name} ${issue?.message ?? "is not right"}, not "${raw[name] ?? ""}".`,
    );
  }
  const { partSize, bwlimit, giveUpAfter, ...rest } = parsed.data;
  const partBytes = parseSize(partSize, origin.partSize ?? "--part-size");
  if (partBytes < smallestPartBytes || partBytes > largestPartBytes) {
    throw new ExhibitError(
      "usage.invalid",
      `${origin.partSize ?? "--part-size"} must be between 64K and 512M, not "${partSize}".`,
    );
  }
  return {
    store: rest.store,
    initials: rest.initials,
    caFile: rest.caFile,
    keyFile: rest.keyFile,
    clientId: rest.clientId,
    fetchHosts: rest.fetchHosts,
    concurrency: rest.concurrency,
    requireProof: rest.requireProof,
    partBytes,
    bwlimit: parseTimetable(bwlimit, origin.bwlimit ?? "--bwlimit"),
    giveUpAfterMs:
      giveUpAfter === undefined
        ? Infinity
        : parseDuration(giveUpAfter, origin.giveUpAfter ?? "--give-up-after") * 1000,
    insecureStorage: given.insecureStorage === true || config.storage === "file",
  };
}
