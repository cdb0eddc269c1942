import { readFile } from "node:fs/promises";
import type { ServeRequest } from "../cli/context.ts";
import { ExhibitError } from "../evidence/errors.ts";
import type { Mail } from "../evidence/ports/mail.ts";
import type { MachineFacts } from "../platform/paths.ts";
import { smtpMail } from "../platform/smtp.ts";
import { readCertificates } from "./certificates.ts";

const variable = "EXHIBIT_SMTP_PASSWORD";

/**
 * The mail server that links and codes go through; undefined where none was named. It is not asked for anything yet: one
 * that is away for a while must not keep the exhibit server from starting.
 *
 * @throws ExhibitError `usage.missing`, `usage.invalid`, `not-found.source`
 */
export async function openMail(
  { smtp }: ServeRequest,
  { env }: MachineFacts,
): Promise<Mail | undefined> {
  if (smtp === undefined) return undefined;
  const { address, from, passwordFile } = smtp;
  const password =
    passwordFile === undefined ? given(env[variable]) : await readPassword(passwordFile);
  if (address.user !== undefined && password === undefined) {
    throw new ExhibitError("usage.missing", "The password of the mail server's user is missing.", {
      hint: `Put it into a file of yours and name it with --smtp-password-file, or into ${variable}.`,
    });
  }
  if (address.user === undefined && password !== undefined) {
    throw new ExhibitError("usage.missing", "The mail server's user is missing.", {
      hint: "Write it into --smtp-url: smtps://USER@HOST:465.",
    });
  }
  return smtpMail({
    address,
    from,
    password,
    caPem: await readCertificates(smtp.caFile ?? given(env["EXHIBIT_CA_FILE"])),
  });
}

function given(text: string | undefined): string | undefined {
  return text === "" ? undefined : text;
}

async function readPassword(file: string): Promise<string> {
  const text = await readFile(file, "utf8").catch((cause: unknown) => {
    throw new ExhibitError("not-found.source", `--smtp-password-file ${file} cannot be read.`, {
      hint: "It must hold the password, alone, and be readable for the account that runs the server.",
      cause,
    });
  });
  const password = text.replace(/\r?\n$/, "");
  if (password !== "" && !/[\r\n]/.test(password)) return password;
  throw new ExhibitError("usage.invalid", `${file} must hold a password on one line.`);
}
