import { readFile } from "node:fs/promises";
import { ExhibitError } from "../evidence/errors.ts";

/** Certificates that are trusted beside the usual ones, in PEM. @throws ExhibitError `not-found.source`, `usage.invalid` */
export async function readCertificates(file: string | undefined): Promise<string | undefined> {
  if (file === undefined) return undefined;
  const pem = await readFile(file, "utf8").catch((cause: unknown) => {
    throw new ExhibitError("not-found.source", `The certificates in ${file} cannot be read.`, {
      hint: "Check --ca-file, EXHIBIT_CA_FILE or caFile in the configuration.",
      cause,
    });
  });
  if (pem.includes("-----BEGIN CERTIFICATE-----")) return pem;
  throw new ExhibitError("usage.invalid", `${file} holds no certificates in PEM.`, {
    hint: "It must hold lines like -----BEGIN CERTIFICATE-----.",
  });
}
