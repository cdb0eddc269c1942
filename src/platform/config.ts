import { readFile } from "node:fs/promises";
import { z } from "zod";
import { ExhibitError } from "../evidence/errors.ts";
import { thumbprintSchema } from "../evidence/thumbprint.ts";
import { replaceFile } from "./atomic-file.ts";

const configType = "exhibit.config/1";

/** The name of a configured store, as it is typed after `--store`. */
export const storeNameSchema = z
  .string()
  .regex(
    /^[a-z0-9][a-z0-9._-]{0,39}$/i,
    "must be a short name of letters, digits, dots, - and _, such as met",
  );

/** `config.json` as it lies on disk. Sizes are text, as on the command line. */
const configSchema = z.strictObject({
  schema: z.literal(configType),
  /** The version of this program that wrote the file last. */
  writtenBy: z.string(),
  stores: z.record(storeNameSchema, z.string().min(1)).default({}),
  defaultStore: storeNameSchema.optional(),
  initials: z.string().optional(),
  caFile: z.string().optional(),
  concurrency: z.number().int().optional(),
  partSize: z.string().optional(),
  requireProof: z.string().optional(),
  bwlimit: z.string().optional(),
  giveUpAfter: z.string().optional(),
  fetchHosts: z.array(z.string().min(1)).optional(),
  boxClientId: z.string().optional(),
  /** Keys of other machines, by thumbprint, that were trusted by name; and whose they are, in words. */
  trustedKeys: z.record(thumbprintSchema, z.string().min(1)).optional(),
  /** `file` after a sign-in with `--insecure-storage`: later commands then look there. */
  storage: z.enum(["keychain", "file"]).optional(),
});
export type Config = z.infer<typeof configSchema>;

export interface LoadedConfig {
  readonly config: Config;
  /** What the person should know, such as settings of a newer version that mean nothing here. */
  readonly warnings: readonly string[];
}

/**
 * Reads the configuration; a missing file is an empty one. Unknown settings are refused by name, or kept and warned
 * of where a newer version wrote the file.
 *
 * @throws ExhibitError `usage.invalid`
 */
export async function loadConfig(file: string, version: string): Promise<LoadedConfig> {
  const text = await readText(file);
  if (text === undefined) {
    return { config: { schema: configType, writtenBy: version, stores: {} }, warnings: [] };
  }
  const json = parseJson(text, file);
  const strict = configSchema.safeParse(json);
  if (strict.success) return { config: strict.data, warnings: [] };
  const unknown = strict.error.issues.flatMap((issue) =>
    issue.code === "unrecognized_keys" ? issue.keys : [],
  );
  const loose = configSchema.loose().safeParse(json);
  if (loose.success && isNewer(loose.data.writtenBy, version)) {
    return {
      config: loose.data,
      warnings: [
        `${file} was written by version ${loose.data.writtenBy}; this is ${version} and does not know: ${unknown.join(", ")}.`,
      ],
    };
  }
  const [issue] = strict.error.issues;
  const what =
    unknown.length > 0
      ? `unknown setting ${unknown.map((key) => `"${key}"`).join(", ")}`
      : `${issue?.path.join(".") ?? ""}: ${wordsOf(issue)}`;
  throw new ExhibitError("usage.invalid", `The configuration file ${file} is not right: ${what}.`, {
    hint: "Correct the file, or move it away and add your stores again. `exhibit help configuration` lists the settings.",
  });
}

/** A wrong key of a record carries its own issue inside. */
function wordsOf(issue: z.core.$ZodIssue | undefined): string {
  const inner = issue?.code === "invalid_key" ? issue.issues[0] : undefined;
  return inner?.message ?? issue?.message ?? "";
}

/** Writes the configuration, whole or not at all, readable by this user only. */
export async function saveConfig(file: string, config: Config, version: string): Promise<void> {
  const writtenBy = isNewer(config.writtenBy, version) ? config.writtenBy : version;
  await replaceFile(file, `${JSON.stringify({ ...config, writtenBy }, null, 2)}\n`);
}

async function readText(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, "utf8");
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw new ExhibitError("usage.invalid", `The configuration file ${file} cannot be read.`, {
      hint: "Check that it is a file and that you may read it.",
      cause,
    });
  }
}

function parseJson(text: string, file: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (cause) {
    throw new ExhibitError("usage.invalid", `The configuration file ${file} is not JSON.`, {
      hint: "Correct the file, or move it away and add your stores again.",
      cause,
    });
  }
}

/** Compares `major.minor.patch`; what is behind a hyphen does not count. */
function isNewer(one: string, other: string): boolean {
  const numbers = (version: string): number[] =>
    (version.split("-")[0] ?? "").split(".").map((part) => Number.parseInt(part, 10) || 0);
  const [a, b] = [numbers(one), numbers(other)];
  for (const index of [0, 1, 2]) {
    const difference = (a[index] ?? 0) - (b[index] ?? 0);
    if (difference !== 0) return difference > 0;
  }
  return false;
}
