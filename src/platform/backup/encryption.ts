import {
  createCipheriv,
  createDecipheriv,
  createHmac,
  randomBytes,
  scrypt,
  timingSafeEqual,
  type DecipherGCM,
} from "node:crypto";
import { z } from "zod";
import { ExhibitError } from "../../evidence/errors.ts";

export const encryptedType = "exhibit.backup-encrypted/1";

const tagBytes = 16;
/** The longest first line that is looked at. */
const maxHeaderBytes = 4096;
/** About 0.5 s and 128 MiB for one guess. */
const cost = { N: 131_072, r: 8, p: 1 } as const;

const base64 = (bytes: number) =>
  z.base64().refine((text) => Buffer.from(text, "base64").length === bytes);

/** The first line of an encrypted backup. Only these costs are taken: a foreign file must not name ones that stop the machine. */
const headerSchema = z.strictObject({
  schema: z.literal(encryptedType),
  kdf: z.literal("scrypt"),
  N: z.literal(cost.N),
  r: z.literal(cost.r),
  p: z.literal(cost.p),
  salt: base64(16),
  cipher: z.literal("aes-256-gcm"),
  iv: base64(12),
  /** HMAC-SHA-256 of salt and iv, by which a wrong passphrase is told from a damaged file. */
  check: base64(32),
});

/** Whether a file that begins so is an encrypted backup. */
export function isEncrypted(first: Uint8Array): boolean {
  return first[0] === "{".charCodeAt(0);
}

/**
 * Encrypts a stream with a passphrase: a first line of JSON that names everything but the passphrase, then the bytes under
 * AES-256-GCM (NIST SP 800-38D) with a key of scrypt (RFC 7914), the line as additional data, and the tag of 16 bytes at the end.
 */
export async function* encrypted(
  bytes: AsyncIterable<Uint8Array>,
  passphrase: string,
): AsyncGenerator<Uint8Array> {
  const salt = randomBytes(16);
  const iv = randomBytes(12);
  const keys = await keysOf(passphrase, salt);
  const header = {
    schema: encryptedType,
    kdf: "scrypt",
    ...cost,
    salt: salt.toString("base64"),
    cipher: "aes-256-gcm",
    iv: iv.toString("base64"),
    check: checkOf(keys.check, salt, iv).toString("base64"),
  };
  const line = Buffer.from(`${JSON.stringify(header)}\n`);
  const cipher = createCipheriv("aes-256-gcm", keys.cipher, iv).setAAD(line);
  yield line;
  for await (const piece of bytes) yield cipher.update(piece);
  yield cipher.final();
  yield cipher.getAuthTag();
}

/**
 * Undoes {@link encrypted}. What it yields counts only once it has ended: the tag comes last.
 *
 * @throws ExhibitError `auth.keys-refused` for another passphrase, `integrity.mismatch` for a file that was changed or cut short
 */
export async function* decrypted(
  bytes: AsyncIterable<Uint8Array>,
  passphrase: string,
): AsyncGenerator<Uint8Array> {
  let held = Buffer.alloc(0);
  let decipher: DecipherGCM | undefined;
  for await (const piece of bytes) {
    held = Buffer.concat([held, piece]);
    if (decipher === undefined) {
      const end = held.indexOf("\n");
      if (end < 0 && held.length > maxHeaderBytes) throw notWhole();
      if (end < 0) continue;
      decipher = await openHeader(held.subarray(0, end + 1), passphrase);
      held = held.subarray(end + 1);
    }
    if (held.length <= tagBytes) continue;
    yield decipher.update(held.subarray(0, held.length - tagBytes));
    held = held.subarray(held.length - tagBytes);
  }
  if (decipher === undefined || held.length < tagBytes) throw notWhole();
  try {
    yield decipher.setAuthTag(held).final();
  } catch {
    throw notWhole();
  }
}

async function openHeader(line: Buffer, passphrase: string): Promise<DecipherGCM> {
  const header = parseHeader(line);
  const salt = Buffer.from(header.salt, "base64");
  const iv = Buffer.from(header.iv, "base64");
  const keys = await keysOf(passphrase, salt);
  if (!timingSafeEqual(checkOf(keys.check, salt, iv), Buffer.from(header.check, "base64"))) {
    throw new ExhibitError("auth.keys-refused", "This is not the passphrase of the backup.", {
      hint: "Give the passphrase that it was made with. Without it the backup cannot be opened by anyone.",
    });
  }
  return createDecipheriv("aes-256-gcm", keys.cipher, iv).setAAD(line);
}

function parseHeader(line: Buffer): z.infer<typeof headerSchema> {
  try {
    return headerSchema.parse(JSON.parse(line.toString("utf8")));
  } catch (cause) {
    throw notWhole(cause);
  }
}

async function keysOf(
  passphrase: string,
  salt: Buffer,
): Promise<{ readonly cipher: Buffer; readonly check: Buffer }> {
  const both = await new Promise<Buffer>((resolve, reject) => {
    const options = { ...cost, maxmem: 256 * 1024 * 1024 };
    scrypt(passphrase.normalize("NFC"), salt, 64, options, (error, key) => {
      if (error === null) resolve(key);
      else reject(error);
    });
  });
  return { cipher: both.subarray(0, 32), check: both.subarray(32) };
}

function checkOf(key: Buffer, salt: Buffer, iv: Buffer): Buffer {
  return createHmac("sha256", key).update(salt).update(iv).digest();
}

/** The failure of a backup that is not the one that was made. */
export function notWhole(cause?: unknown): ExhibitError {
  return new ExhibitError(
    "integrity.mismatch",
    "This is not a whole backup of an exhibit server: it was changed or cut short, or is something else.",
    { hint: "Take another backup. Nothing was restored.", cause },
  );
}
