import type { Settings } from "../cli/context.ts";
import type { Secrets } from "../evidence/ports/secrets.ts";
import type { MachinePaths } from "../platform/paths.ts";

/** A key file that was named, else the keychain; the plain file of the state folder only where someone asked for it by name. */
export async function chooseSecrets(
  settings: Settings,
  paths: MachinePaths,
): Promise<{ readonly secrets: Secrets; readonly file: string | undefined }> {
  const file = settings.keyFile ?? (settings.insecureStorage ? paths.insecureKeyFile : undefined);
  if (file === undefined) {
    const { keychainOn } = await import("../platform/secrets/keychain.ts");
    return { secrets: keychainOn(process.platform), file };
  }
  const { secretFile } = await import("../platform/secrets/secret-file.ts");
  return { secrets: secretFile(file), file };
}
