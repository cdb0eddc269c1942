import { stat } from "node:fs/promises";
import { ExhibitError } from "../../evidence/errors.ts";
import type { DoctorFinding } from "../../evidence/ports/doctor.ts";
import type { Secrets } from "../../evidence/ports/secrets.ts";

/** Where this machine's keys are kept: that it answers, how soon, and, for a file, who may read it. Reads none of them. */
export async function examineKeys(
  secrets: Secrets,
  keyFile: string | undefined,
): Promise<DoctorFinding> {
  const id = "keys";
  const startedAt = performance.now();
  try {
    await secrets.get("exhibit-doctor");
  } catch (error) {
    if (!(error instanceof ExhibitError)) throw error;
    const { message, hint, code } = error;
    return { id, verdict: "will-not-work", words: message, remedy: hint, code };
  }
  const ms = Math.round(performance.now() - startedAt);
  const words = `${secrets.place} answers in ${ms} ms`;
  return { id, verdict: "ok", words: keyFile === undefined ? words : await modeOf(keyFile, words) };
}

async function modeOf(keyFile: string, words: string): Promise<string> {
  const found = await stat(keyFile).catch(() => undefined);
  if (found === undefined) return `${words}; it will be made when the first key is kept`;
  return process.platform === "win32"
    ? words
    : `${words}; its mode is ${(found.mode & 0o777).toString(8).padStart(4, "0")}`;
}
