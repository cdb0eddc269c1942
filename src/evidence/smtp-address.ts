import { z } from "zod";
import { ExhibitError } from "./errors.ts";
import { isLoopback } from "./web-address.ts";

/** Where mail is handed in. */
export interface SmtpAddress {
  readonly host: string;
  readonly port: number;
  /** TLS from the first byte (`smtps:`, RFC 8314). */
  readonly secure: boolean;
  /** Without TLS from the start, STARTTLS (RFC 3207) must succeed before anything is said. */
  readonly requireStartTls: boolean;
  readonly user: string | undefined;
}

const form = "smtps://USER@HOST:465, or smtp://USER@HOST:587 for STARTTLS";

/**
 * Reads `smtps://USER@HOST:465` or `smtp://USER@HOST:587`; an `@` in USER is written `%40`, or as it is. Outside this
 * computer plain `smtp:` requires STARTTLS.
 *
 * @throws ExhibitError `usage.invalid`, also where a password stands in it; it is never repeated
 */
export function smtpAddress(text: string): SmtpAddress {
  const at = text.lastIndexOf("@");
  const user = /^smtps?:\/\/(.*)$/i.exec(text.slice(0, Math.max(0, at)))?.[1] ?? "";
  // A user such as evidence@police.example is written as it is, too: only the last @ parts it from the host.
  const rest = at < 0 ? text : `${text.slice(0, text.indexOf("//") + 2)}${text.slice(at + 1)}`;
  const url = URL.canParse(rest) ? new URL(rest) : undefined;
  if (user.includes(":")) {
    throw new ExhibitError("usage.invalid", "--smtp-url must not hold a password.", {
      hint: "Everybody on this computer can read a command line. Put the password into a file of yours and name it with --smtp-password-file, or into EXHIBIT_SMTP_PASSWORD. It has been shown now: change it.",
    });
  }
  if (
    url === undefined ||
    !/^smtps?:$/.test(url.protocol) ||
    url.hostname === "" ||
    !/^\/?$/.test(url.pathname) ||
    `${url.search}${url.hash}` !== ""
  ) {
    throw new ExhibitError("usage.invalid", "--smtp-url is not the address of a mail server.", {
      hint: `Write it like ${form}.`,
    });
  }
  const secure = url.protocol === "smtps:";
  const host = url.hostname.replace(/^\[|\]$/g, "");
  return {
    host,
    port: url.port === "" ? (secure ? 465 : 587) : Number(url.port),
    secure,
    requireStartTls: !secure && !isLoopback(host),
    user: user === "" ? undefined : decoded(user),
  };
}

function decoded(user: string): string {
  try {
    return decodeURIComponent(user);
  } catch {
    return user;
  }
}

/** The address that mails are from: the one given, or else the mail server's user where that is one. @throws ExhibitError */
export function mailFrom(given: string | undefined, { user }: SmtpAddress): string {
  const from = z
    .email()
    .max(254)
    .safeParse(given ?? user);
  if (from.success) return from.data;
  throw new ExhibitError(
    given === undefined ? "usage.missing" : "usage.invalid",
    given === undefined
      ? "--mail-from is missing: the address that mails are from."
      : "--mail-from is not an e-mail address.",
    { hint: "For example --mail-from evidence@police.example." },
  );
}
