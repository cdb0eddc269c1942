import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from "node:crypto";
import { z } from "zod";
import type { OutgoingMail } from "../../evidence/ports/mail.ts";
import type { SigningKey } from "../../evidence/seal.ts";

const mailSchema = z.strictObject({
  id: z.string(),
  to: z.strictObject({ name: z.string(), address: z.string() }),
  fromName: z.string(),
  subject: z.string(),
  text: z.string(),
  html: z.string(),
});

const cipher = "aes-256-gcm";
const ivBytes = 12;
const tagBytes = 16;

/**
 * A mail as text that only this server's key opens (AES-256-GCM, its key by HKDF from the server's private key): a mail in
 * the queue holds a link or a code, and a copy of the database alone must open no share.
 */
export function sealMail(mail: OutgoingMail, key: SigningKey): string {
  const iv = randomBytes(ivBytes);
  const sealing = createCipheriv(cipher, keyFor(key), iv).setAAD(Buffer.from(mail.id));
  const sealed = Buffer.concat([sealing.update(JSON.stringify(mail)), sealing.final()]);
  return Buffer.concat([iv, sealing.getAuthTag(), sealed]).toString("base64url");
}

/** The mail with this id again; undefined when another key sealed it, or it was changed. */
export function openMail(sealed: string, id: string, key: SigningKey): OutgoingMail | undefined {
  const bytes = Buffer.from(sealed, "base64url");
  try {
    const opening = createDecipheriv(cipher, keyFor(key), bytes.subarray(0, ivBytes))
      .setAAD(Buffer.from(id))
      .setAuthTag(bytes.subarray(ivBytes, ivBytes + tagBytes));
    const opened = [opening.update(bytes.subarray(ivBytes + tagBytes)), opening.final()];
    return mailSchema.parse(JSON.parse(Buffer.concat(opened).toString("utf8")));
  } catch {
    return undefined;
  }
}

function keyFor({ privateObject, thumbprint }: SigningKey): Buffer {
  const secret = privateObject.export({ format: "der", type: "pkcs8" });
  return Buffer.from(hkdfSync("sha256", secret, thumbprint, "exhibit.mail-queue/1", 32));
}
