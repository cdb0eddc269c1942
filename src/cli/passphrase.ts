import { ExhibitError } from "../evidence/errors.ts";
import { readGiven } from "./input.ts";
import type { Terminal } from "./ui/terminal.ts";

/**
 * A passphrase from a file, or from stdin for `-`, without the line feed at its end; never from an argument.
 *
 * @throws ExhibitError `not-found.source`; `usage.invalid` for a short one or one of several lines
 */
export async function readPassphrase(file: string, terminal: Terminal): Promise<string> {
  const passphrase = (await readGiven(file, terminal)).replace(/\r?\n$/, "");
  if (passphrase.length >= 12 && !/[\r\n]/.test(passphrase)) return passphrase;
  throw new ExhibitError(
    "usage.invalid",
    "The passphrase must be one line of 12 characters or more.",
    {
      hint: "Make one by: openssl rand -base64 24",
    },
  );
}
