import { open, rm, statfs } from "node:fs/promises";
import path from "node:path";
import { ExhibitError } from "../../evidence/errors.ts";
import type { DoctorFinding } from "../../evidence/ports/doctor.ts";
import { formatSize } from "../../evidence/quantities.ts";
import { randomId } from "../../evidence/random-id.ts";
import { makeStateFolder } from "../state-folder.ts";

/** NFS, SMB, SMB2, CIFS, 9P, and what FUSE brings in, such as sshfs: see statfs(2). */
const networkFileSystems = new Set([
  0x6969, 0x517b, 0xfe534d42, 0xff534d42, 0x01021997, 0x65735546,
]);
/** Below this, an upload's journal and receipts may not fit. */
const leastFreeBytes = 100 * 1024 * 1024;

/** The folder in which this program remembers how far it got: can be written to, has room, and is on a disk of this machine. */
export async function examineStateFolder(folder: string): Promise<DoctorFinding[]> {
  const id = "state-folder";
  try {
    makeStateFolder(folder);
    const probe = path.join(folder, randomId(".doctor-", 8));
    const handle = await open(probe, "wx", 0o600);
    try {
      await handle.write("doctor");
      await handle.sync();
    } finally {
      await handle.close();
      await rm(probe, { force: true });
    }
  } catch (error) {
    return [{ id, verdict: "will-not-work", ...toldOf(error, folder) }];
  }
  const { type, bavail, bsize } = await statfs(folder);
  const freeBytes = bavail * bsize;
  return [
    { id, verdict: "ok", words: `${folder} can be written to` },
    freeBytes < leastFreeBytes
      ? {
          id: "free-space",
          verdict: "will-not-work",
          words: `only ${formatSize(freeBytes)} are free there`,
          remedy: "Make room on that disk: the journal and the receipts are kept there.",
          code: "unavailable.no-space",
        }
      : { id: "free-space", verdict: "ok", words: `${formatSize(freeBytes)} are free there` },
    isOnNetwork(folder, type)
      ? {
          id: "local-disk",
          verdict: "will-not-work",
          words: `${folder} is on a network drive, where a database may be damaged`,
          remedy: "Name a folder on a disk of this computer with EXHIBIT_STATE_DIR.",
          code: "policy.unsupported",
        }
      : { id: "local-disk", verdict: "ok", words: "it is on a disk of this computer" },
  ];
}

/** By what statfs(2) tells of the file system, and by a Windows path that names a computer. */
export function isOnNetwork(folder: string, fileSystem: number): boolean {
  return networkFileSystems.has(fileSystem) || /^\\\\(?![?.]\\)|^\\\\\?\\UNC\\/i.test(folder);
}

function toldOf(error: unknown, folder: string): Pick<DoctorFinding, "words" | "remedy" | "code"> {
  if (error instanceof ExhibitError) {
    const { message, hint, code } = error;
    return { words: message, remedy: hint, code };
  }
  return {
    words: `${folder} cannot be written to (${(error as NodeJS.ErrnoException).code ?? "unknown"})`,
    remedy: "Make it writable for you, or name another folder with EXHIBIT_STATE_DIR.",
    code: "usage.invalid",
  };
}
