import { createPrivateKey, createPublicKey, sign, verify, type KeyObject } from "node:crypto";
import {
  calculateJwkThumbprint,
  exportJWK,
  generateKeyPair,
  importJWK,
  type CryptoKey,
  type JWK,
} from "jose";
import { z } from "zod";
import { ExhibitError } from "./errors.ts";

/** A signing key of ours: Ed25519, named by its RFC 7638 thumbprint. */
export interface SigningKey {
  readonly thumbprint: string;
  readonly publicJwk: PublicJwk;
  readonly privateKey: CryptoKey;
  /** The same key, for signing documents. */
  readonly privateObject: KeyObject;
}

export const publicJwkSchema = z.strictObject({
  kty: z.literal("OKP"),
  crv: z.literal("Ed25519"),
  x: z.string().regex(/^[A-Za-z0-9_-]{43}$/),
});
export type PublicJwk = z.infer<typeof publicJwkSchema>;

/** A sealed document: JWS general JSON (RFC 7515 section 7.2.1), so that several parties can sign the same bytes. */
export const sealedSchema = z.strictObject({
  payload: z.string(),
  signatures: z
    .array(z.strictObject({ protected: z.string(), signature: z.string() }))
    .min(1)
    .max(16),
});
export type Sealed = z.infer<typeof sealedSchema>;

/** Makes a new Ed25519 key; the private JWK it returns is a secret. */
export async function newPrivateJwk(): Promise<JWK> {
  const pair = await generateKeyPair("Ed25519", { extractable: true });
  const { kty, crv, x, d } = await exportJWK(pair.privateKey);
  return { kty, crv, x, d } as JWK;
}

/** Reads a private Ed25519 JWK into a signing key. */
export async function signingKey(privateJwk: JWK): Promise<SigningKey> {
  const publicJwk = publicJwkSchema.parse({
    kty: privateJwk.kty,
    crv: privateJwk.crv,
    x: privateJwk.x,
  });
  return {
    publicJwk,
    thumbprint: await thumbprintOf(publicJwk),
    privateKey: (await importJWK(privateJwk, "Ed25519")) as CryptoKey,
    privateObject: createPrivateKey({ key: privateJwk, format: "jwk" }),
  };
}

/** The RFC 7638 SHA-256 thumbprint of a public key. */
export function thumbprintOf(key: PublicJwk): Promise<string> {
  return calculateJwkThumbprint(key);
}

/** Signs `document` (written as JSON once; those bytes are what everyone signs). `type` becomes the `typ` header. */
export function seal(document: unknown, type: string, key: SigningKey): Promise<Sealed> {
  // By node:crypto and not by jose, here and below: many small exhibits are sealed one by one, and WebCrypto costs five
  // times as much for each.
  const header = base64url(JSON.stringify({ alg: "EdDSA", typ: type, kid: key.thumbprint }));
  const payload = base64url(JSON.stringify(document));
  const signature = sign(null, Buffer.from(`${header}.${payload}`), key.privateObject);
  const signatures = [{ protected: header, signature: signature.toString("base64url") }];
  return Promise.resolve({ payload, signatures });
}

function base64url(text: string): string {
  return Buffer.from(text).toString("base64url");
}

/** The document inside, before anyone has checked a signature. Use only to find out whose key to pin. */
export function unverifiedPayload(sealed: Sealed): unknown {
  try {
    return JSON.parse(Buffer.from(sealed.payload, "base64url").toString("utf8")) as unknown;
  } catch (cause) {
    throw new ExhibitError("integrity.signature", "The sealed document is not JSON.", { cause });
  }
}

/**
 * The document inside, when one of its signatures was made by the pinned `key`. A key that comes along
 * with the document never counts.
 *
 * @throws ExhibitError `integrity.signature`
 */
export function openSealed(sealed: Sealed, type: string, key: PublicJwk): Promise<unknown> {
  const object = publicObject(key);
  const isSigned = sealed.signatures.some(
    ({ protected: header, signature }) =>
      isOurs(header, type) &&
      verify(
        null,
        Buffer.from(`${header}.${sealed.payload}`),
        object,
        Buffer.from(signature, "base64url"),
      ),
  );
  // A signature of another party, or over something else, does not matter as long as one fits.
  if (!isSigned) return Promise.reject(notSigned());
  return new Promise((resolve) => {
    resolve(unverifiedPayload(sealed));
  });
}

const headerSchema = z.looseObject({ alg: z.enum(["EdDSA", "Ed25519"]), typ: z.string() });

/** Whether a protected header says Ed25519 and this type, and nothing critical that is not known here. */
function isOurs(header: string, type: string): boolean {
  try {
    const text = Buffer.from(header, "base64url").toString("utf8");
    const found = headerSchema.safeParse(JSON.parse(text));
    return found.success && found.data.typ === type && !("crit" in found.data);
  } catch {
    return false;
  }
}

/** Keys that were read lately: few keys sign many documents. */
const publicObjects = new Map<string, KeyObject>();
const mostPublicObjects = 100;

function publicObject(key: PublicJwk): KeyObject {
  const known = publicObjects.get(key.x);
  if (known !== undefined) return known;
  const object = createPublicKey({ key, format: "jwk" });
  if (publicObjects.size >= mostPublicObjects) publicObjects.clear();
  publicObjects.set(key.x, object);
  return object;
}

function notSigned(): ExhibitError {
  return new ExhibitError(
    "integrity.signature",
    "The signature was not made by the expected key, or the document was changed after signing.",
    {
      hint: "Do not rely on this document. Ask its sender for it again, and tell your administrator.",
    },
  );
}
