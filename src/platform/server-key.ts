import { readFile } from "node:fs/promises";
import type { JWK } from "jose";
import { z } from "zod";
import { ExhibitError } from "../evidence/errors.ts";
import {
  newPrivateJwk,
  publicJwkSchema,
  sealedSchema,
  signingKey,
  thumbprintOf,
  type PublicJwk,
  type Sealed,
  type SigningKey,
} from "../evidence/seal.ts";
import { replaceFile } from "./atomic-file.ts";

const serverKeyType = "exhibit.server-key/1";
const serverKeySchema = z.strictObject({
  schema: z.literal(serverKeyType),
  key: publicJwkSchema.extend({ d: z.string() }),
  retired: z.array(z.strictObject({ key: publicJwkSchema, retiredAt: z.iso.datetime() })),
  /** Sealed `exhibit.key-rotation/1` statements, oldest first. */
  rotations: z.array(sealedSchema).default([]),
});

/** What a server signs with, and what it signed with before. */
export interface ServerKeys {
  readonly key: SigningKey;
  readonly retiredKeys: readonly {
    readonly publicJwk: PublicJwk;
    readonly thumbprint: string;
    readonly retiredAt: string;
  }[];
  /** How each key was handed on to the next, oldest first. */
  readonly rotations: readonly Sealed[];
}

/** The server's keys as a text of their file says. @throws ExhibitError `conflict.exists` when it is not such a text */
export async function readServerKeys(text: string, file: string): Promise<ServerKeys> {
  const { key, retired, rotations } = parse(text, file);
  const retiredKeys = await Promise.all(
    retired.map(async ({ key: publicJwk, retiredAt }) => ({
      publicJwk,
      thumbprint: await thumbprintOf(publicJwk),
      retiredAt,
    })),
  );
  return { key: await signingKey(key), retiredKeys, rotations };
}

/**
 * The server's keys; a new one is made where the file is absent and the folder is not `used` yet.
 *
 * @throws ExhibitError `conflict.exists` for a file that is damaged, or missing in a folder that is used
 */
export async function openServerKeys(file: string, used: boolean): Promise<ServerKeys> {
  const text = await keyText(file);
  if (text !== undefined) return readServerKeys(text, file);
  if (used) throw damagedKey(file, "missing");
  const jwk = await newPrivateJwk();
  await keepServerKeys(file, jwk, { retiredKeys: [], rotations: [] });
  return { key: await signingKey(jwk), retiredKeys: [], rotations: [] };
}

/** Writes the server's keys, in the place of those before, all at once; only this user can read them. */
export async function keepServerKeys(
  file: string,
  privateJwk: JWK,
  { retiredKeys, rotations }: Pick<ServerKeys, "retiredKeys" | "rotations">,
): Promise<void> {
  const document = {
    schema: serverKeyType,
    key: privateJwk,
    retired: retiredKeys.map(({ publicJwk, retiredAt }) => ({ key: publicJwk, retiredAt })),
    ...(rotations.length === 0 ? {} : { rotations }),
  };
  await replaceFile(file, `${JSON.stringify(document, null, 2)}\n`);
}

/** Adds keys that signed in this server's name once to its retired ones, and gives all of those. */
export async function addRetiredKeys(
  file: string,
  keys: readonly PublicJwk[],
  retiredAt: string,
): Promise<ServerKeys["retiredKeys"]> {
  const text = (await keyText(file)) ?? "";
  const before = await readServerKeys(text, file);
  const known = new Set(before.retiredKeys.map(({ publicJwk }) => publicJwk.x));
  const added = await Promise.all(
    keys
      .filter(({ x }) => !known.has(x))
      .map(async (publicJwk) => ({
        publicJwk,
        thumbprint: await thumbprintOf(publicJwk),
        retiredAt,
      })),
  );
  const retiredKeys = [...added, ...before.retiredKeys];
  if (added.length > 0)
    await keepServerKeys(file, parse(text, file).key, { ...before, retiredKeys });
  return retiredKeys;
}

/** The text of the key file; undefined where there is none. */
export async function keyText(file: string): Promise<string | undefined> {
  return readFile(file, "utf8").catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  });
}

function parse(text: string, file: string): z.output<typeof serverKeySchema> {
  try {
    return serverKeySchema.parse(JSON.parse(text));
  } catch {
    // What the file holds must not get into the error.
    throw damagedKey(file, "damaged");
  }
}

function damagedKey(file: string, what: string): ExhibitError {
  return new ExhibitError("conflict.exists", `The server's key file ${file} is ${what}.`, {
    hint: "Put back its copy from your backup. If there is none: exhibit server rotate-key --old-key-lost; then everyone logs in anew.",
  });
}
