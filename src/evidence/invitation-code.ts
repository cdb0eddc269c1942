import { randomBytes } from "node:crypto";
import { crc32 } from "node:zlib";
import { ExhibitError } from "./errors.ts";

/** What an invitation's code carries: a secret of 128 bits and the thumbprint of the server's key. */
export interface InvitationCode {
  readonly secret: string;
  /** RFC 7638 SHA-256 thumbprint of the server's public key: the pin. */
  readonly serverThumbprint: string;
}

const form = /^ex1\.([A-Za-z0-9_-]{22})\.([A-Za-z0-9_-]{43})\.([0-9a-f]{8})$/;

function checksum(body: string): string {
  return crc32(body).toString(16).padStart(8, "0");
}

/** A new code for a server whose key has this thumbprint. */
export function newInvitationCode(serverThumbprint: string): string {
  const body = `ex1.${randomBytes(16).toString("base64url")}.${serverThumbprint}`;
  return `${body}.${checksum(body)}`;
}

/** Reads a code as a person pasted it. @throws ExhibitError `auth.invitation-mistyped` */
export function parseInvitationCode(text: string): InvitationCode {
  const code = text.replace(/\s+/g, "");
  const match = form.exec(code);
  const [, secret, serverThumbprint, sum] = match ?? [];
  if (
    secret === undefined ||
    serverThumbprint === undefined ||
    sum !== checksum(code.slice(0, code.lastIndexOf(".")))
  ) {
    throw new ExhibitError(
      "auth.invitation-mistyped",
      "This invitation code has a typing mistake or is cut short.",
      { hint: "Copy the whole code, from ex1. to its end, and try again." },
    );
  }
  return { secret, serverThumbprint };
}
