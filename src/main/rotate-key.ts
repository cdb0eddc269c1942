import { Kysely } from "kysely";
import type { RotatedKey } from "../cli/server-keeping.ts";
import { ExhibitError } from "../evidence/errors.ts";
import { openRotation, sealRotation } from "../evidence/key-rotation.ts";
import { newPrivateJwk, signingKey, thumbprintOf, type PublicJwk } from "../evidence/seal.ts";
import { holdDataFolder, type DataPlaces } from "../platform/data-folder.ts";
import {
  keepServerKeys,
  keyText,
  readServerKeys,
  type ServerKeys,
} from "../platform/server-key.ts";
import { sqliteDialect } from "../platform/sqlite.ts";
import { refuseNewer } from "../server/database/migrate.ts";
import type { Tables } from "../server/database/tables.ts";
import { issuersInReceipts } from "../server/keys/issuers-in-receipts.ts";

/**
 * Gives the server of a data folder, which nobody may hold, a new key. The old one signs the change and is then forgotten: only its public
 * part stays. Where it is lost nothing leads to the new key, and the old public keys are taken from the receipts.
 */
export async function rotateKey(places: DataPlaces, oldKeyLost: boolean): Promise<RotatedKey> {
  const release = await holdDataFolder(places.path);
  try {
    const at = new Date().toISOString();
    const jwk = await newPrivateJwk();
    const key = await signingKey(jwk);
    const kept = oldKeyLost
      ? await withoutOldKey(places, at)
      : await handedOn(await oldKeys(places), key, at);
    await keepServerKeys(places.keyFile, jwk, kept);
    const retired = kept.retiredKeys.map(({ thumbprint, retiredAt }) => ({
      thumbprint,
      retiredAt,
    }));
    return { dataDir: places.path, thumbprint: key.thumbprint, retired };
  } finally {
    await release();
  }
}

/** @throws ExhibitError `conflict.exists` where the key file is missing or damaged */
async function oldKeys({ keyFile }: DataPlaces): Promise<ServerKeys> {
  return readServerKeys((await keyText(keyFile)) ?? "", keyFile);
}

async function handedOn(
  old: ServerKeys,
  key: ServerKeys["key"],
  at: string,
): Promise<Pick<ServerKeys, "retiredKeys" | "rotations">> {
  const { publicJwk, thumbprint } = old.key;
  const last = old.rotations.at(-1);
  // Clients follow no statement that is older than the one before it.
  if (last !== undefined && (await openRotation(last)).at > at) {
    throw new ExhibitError(
      "auth.clock-wrong",
      "This computer's clock is behind the last change of the server's key.",
      { hint: "Set the date and the time, then try again. Nothing was changed." },
    );
  }
  return {
    retiredKeys: [{ publicJwk, thumbprint, retiredAt: at }, ...old.retiredKeys],
    rotations: [...old.rotations, await sealRotation(old.key, key, at)],
  };
}

/** No statement leads anywhere any more. Of what the key file says only public keys are taken, where it can still be read. */
async function withoutOldKey(
  places: DataPlaces,
  at: string,
): Promise<Pick<ServerKeys, "retiredKeys" | "rotations">> {
  const old = await oldKeys(places).catch(() => undefined);
  const known = old?.retiredKeys ?? [];
  const dates = new Map(known.map(({ publicJwk, retiredAt }) => [publicJwk.x, retiredAt]));
  const keys = new Map<string, PublicJwk>();
  if (old !== undefined) keys.set(old.key.publicJwk.x, old.key.publicJwk);
  for (const key of await issuersOf(places)) keys.set(key.x, key);
  for (const { publicJwk } of known) keys.set(publicJwk.x, publicJwk);
  const retiredKeys = await Promise.all(
    [...keys.values()].map(async (publicJwk) => ({
      publicJwk,
      thumbprint: await thumbprintOf(publicJwk),
      retiredAt: dates.get(publicJwk.x) ?? at,
    })),
  );
  return { retiredKeys, rotations: [] };
}

async function issuersOf({ databaseFile }: DataPlaces): Promise<readonly PublicJwk[]> {
  const database = new Kysely<Tables>({ dialect: sqliteDialect(databaseFile) });
  try {
    await refuseNewer(database);
    return await issuersInReceipts(database);
  } finally {
    await database.destroy();
  }
}
