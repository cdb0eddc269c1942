import { X509Certificate } from "node:crypto";
import type { DoctorFinding } from "../../evidence/ports/doctor.ts";

const soonMs = 30 * 86_400_000;
const pattern = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

/** The certificates that are trusted beside the usual ones: which, and until when. */
export function examineCertificates(pem: string, now: Date): DoctorFinding[] {
  return (pem.match(pattern) ?? []).map((text, index) => {
    const id = `certificate-${index + 1}`;
    const certificate = parsed(text);
    if (certificate === undefined) {
      return {
        id,
        verdict: "will-not-work",
        words: `certificate ${index + 1} of --ca-file cannot be read`,
        remedy: "Ask for the file again; it must be in PEM.",
        code: "usage.invalid",
      };
    }
    const until = new Date(certificate.validTo);
    const name = certificate.subject.split("\n").at(-1) ?? "";
    const words = `${name}, good until ${until.toISOString().slice(0, 10)}`;
    const leftMs = until.getTime() - now.getTime();
    if (leftMs <= 0) {
      return {
        id,
        verdict: "will-not-work",
        words: `${words}: it is over`,
        remedy: "Ask whoever gave you the file for the new certificate.",
        code: "policy.insecure-address",
      };
    }
    const remedy = leftMs < soonMs ? "Ask for its successor now." : undefined;
    return { id, verdict: "ok", words, remedy };
  });
}

function parsed(text: string): X509Certificate | undefined {
  try {
    return new X509Certificate(text);
  } catch {
    return undefined;
  }
}
