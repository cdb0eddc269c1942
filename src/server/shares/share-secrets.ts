import { randomBytes, scrypt, timingSafeEqual } from "node:crypto";
import { promisify } from "node:util";
import { sha256Of } from "../../evidence/digest.ts";

const derive = promisify<string, string, number, { N: number; r: number; p: number }, Buffer>(
  scrypt,
);
const cost = { N: 2 ** 14, r: 8, p: 1 };

/** What makes a link secret: 192 random bits, base64url. Kept only as its {@link sha256Of}. */
export function newToken(): string {
  return randomBytes(24).toString("base64url");
}

/** What is kept of a code. */
export interface CodeDigest {
  readonly salt: string;
  readonly scrypt: string;
}

/** A code as typed, without the ways of writing it: case, spaces and dashes of any kind. */
function plain(code: string): string {
  return code
    .normalize("NFKC")
    .toUpperCase()
    .replace(/[\s\p{Pd}]/gu, "")
    .slice(0, 64);
}

/** Kept where there is no code to hand over: no code fits it. */
export function noCode(): CodeDigest {
  return { salt: randomBytes(16).toString("hex"), scrypt: "0".repeat(64) };
}

export async function digestCode(code: string): Promise<CodeDigest> {
  const salt = randomBytes(16).toString("hex");
  return { salt, scrypt: (await derive(plain(code), salt, 32, cost)).toString("hex") };
}

/** A digest that no code fits, so that an unknown link costs the same work as a known one. */
const unfitting: CodeDigest = { salt: sha256Of("no share").slice(0, 32), scrypt: "0".repeat(64) };

/** True when `code` is the one that was digested; the same work with and without a digest. */
export async function codeFits(code: string, digest: CodeDigest | undefined): Promise<boolean> {
  const against = digest ?? unfitting;
  const derived = await derive(plain(code), against.salt, 32, cost);
  return timingSafeEqual(derived, Buffer.from(against.scrypt, "hex"));
}
