import {
  GeneralSign,
  calculateJwkThumbprint,
  compactVerify,
  exportJWK,
  generateKeyPair,
  importJWK,
  type CryptoKey,
  type GeneralJWS,
  type JWK,
} from "jose";
import { z } from "zod";
import { ExhibitError } from "./errors.ts";

/** A signing key of ours: Ed25519, named by its RFC 7638 thumbprint. */
export interface SigningKey {
  readonly thumbprint: string;
  readonly publicJwk: PublicJwk;
  readonly privateKey: CryptoKey;
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
  };
}

/** The RFC 7638 SHA-256 thumbprint of a public key. */
export function thumbprintOf(key: PublicJwk): Promise<string> {
  return calculateJwkThumbprint(key);
}

/** Signs `document` (written as JSON once; those bytes are what everyone signs). `type` becomes the `typ` header. */
export async function seal(document: unknown, type: string, key: SigningKey): Promise<Sealed> {
  const bytes = new TextEncoder().encode(JSON.stringify(document));
  const jws = await new GeneralSign(bytes)
    .addSignature(key.privateKey)
    .setProtectedHeader({ alg: "EdDSA", typ: type, kid: key.thumbprint })
    .sign();
  return plain(jws);
}

function plain(jws: GeneralJWS): Sealed {
  return {
    payload: jws.payload,
    signatures: jws.signatures.map((one) => ({
      protected: one.protected ?? "",
      signature: one.signature,
    })),
  };
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
export async function openSealed(sealed: Sealed, type: string, key: PublicJwk): Promise<unknown> {
  const imported = await importJWK(key, "Ed25519");
  for (const { protected: header, signature } of sealed.signatures) {
    try {
      const compact = `${header}.${sealed.payload}.${signature}`;
      const { protectedHeader } = await compactVerify(compact, imported, {
        algorithms: ["EdDSA", "Ed25519"],
      });
      if (protectedHeader.typ === type) return unverifiedPayload(sealed);
    } catch {
      // Another party's signature: try the next one. Below it is an error if none fits.
    }
  }
  throw new ExhibitError(
    "integrity.signature",
    "The signature was not made by the expected key, or the document was changed after signing.",
    {
      hint: "Do not rely on this document. Ask its sender for it again, and tell your administrator.",
    },
  );
}
