import type { ShareRequest } from "../../src/evidence/ports/sharing.ts";
import type { Clock } from "../../src/evidence/ports/clock.ts";
import type { Connection } from "../../src/evidence/ports/connection.ts";
import type { Register } from "../../src/evidence/ports/register.ts";
import { contentKey } from "../../src/evidence/key.ts";
import { sha256Of } from "../../src/evidence/digest.ts";
import { recordType, type ExhibitRecord } from "../../src/evidence/record.ts";
import { newPrivateJwk, seal, signingKey, type SigningKey } from "../../src/evidence/seal.ts";
import { Files } from "../../src/stores/box/files.ts";
import { boxSharing } from "../../src/stores/box/sharing/sharing.ts";
import { boxStore } from "../../src/stores/box/store.ts";
import { keyedRegister } from "../../src/stores/keyed-register.ts";
import type { User } from "./box/accounts/users.ts";
import { startBox, type Box, type BoxStart } from "./box/box.ts";
import { boxFolder, unhurried, type BoxFolder } from "./box-store.ts";
import type { Material } from "./sealed-exhibit.ts";
import { soon } from "./server.ts";

/** A police force with a simulated Box: a store, exhibits in it, and officers who each have a computer of their own. */
export interface BoxOffice {
  readonly box: Box;
  /** Path of the store's folder below the first officer's root. */
  readonly root: string;
  /** A connection as a user has it, each time as another process would. */
  as(user?: User, clock?: Clock): Connection;
  /** Seals an exhibit of these files. */
  exhibit(...files: readonly Material[]): Promise<ShareRequest["exhibits"][number]>;
  /** Makes somebody a collaborator of the store's folder. */
  admit(user: User, role?: string): Promise<void>;
  /** Asks Box directly, as a user. */
  ask(
    user: User,
    method: string,
    to: string,
    json?: unknown,
    headers?: Record<string, string>,
  ): Promise<Asked>;
  /** What gives anybody access who is no officer: links, and invitations below the store's folder. */
  access(): { readonly links: number; readonly invitations: number; readonly copies: number };
  /** Paths below the store's folder of all that is there. */
  paths(): string[];
  close(): Promise<void>;
}

export interface Asked {
  readonly status: number;
  readonly body: Record<string, unknown>;
}

const caseRef = "01AB1234526";
let serial = 0;

export async function openBoxOffice(
  settings: BoxStart["settings"] = {},
  root = "Evidence",
): Promise<BoxOffice> {
  const box = await startBox({ settings });
  const signer = await signingKey(await newPrivateJwk());
  const folders: BoxFolder[] = [];
  const open = (user: User, clock: Clock = box.clock): Connection => {
    const folder = boxFolder(box, root, { user });
    folders.push(folder);
    const files = new Files(folder.api());
    const store = boxStore(files, box.clock, unhurried);
    const register = keyedRegister(store, { signer, trusted: new Set() }, box.clock);
    return {
      name: "box",
      store,
      register,
      bundles: undefined,
      signer,
      clockOffsetMs: undefined,
      sharing: boxSharing({ files, register, clock }),
      accounts: undefined,
      close: () => Promise.resolve(),
    };
  };
  const ask: BoxOffice["ask"] = async (user, method, to, json, headers = {}) => {
    const answer = await fetch(`${box.apiUrl}/2.0${to}`, {
      method,
      headers: {
        authorization: `Bearer ${box.developerToken(user)}`,
        ...(json === undefined ? {} : { "content-type": "application/json" }),
        ...headers,
      },
      ...(json === undefined ? {} : { body: JSON.stringify(json) }),
    });
    const text = await answer.text();
    const body = (text === "" ? {} : JSON.parse(text)) as Record<string, unknown>;
    return { status: answer.status, body };
  };
  const folderId = box.folder(box.users.officer, root);
  return {
    box,
    root,
    ask,
    async admit(user, role = "editor") {
      await ask(box.users.officer, "POST", "/collaborations", {
        item: { type: "folder", id: folderId },
        accessible_by: { type: "user", id: user.id },
        role,
      });
    },
    access() {
      const { files, folders } = box.world.tree;
      const items = [...files.values(), ...folders.values()];
      return {
        links: items.filter(({ link }) => link !== undefined).length,
        invitations: box.world.collaborations.all().filter(({ item }) => item.id !== folderId)
          .length,
        copies: [...files.values()].filter(({ parent }) => parent.name === "copies").length,
      };
    },
    as: (user = box.users.officer, clock) => open(user, clock),
    exhibit: (...files) => {
      const { store, register } = open(box.users.officer);
      return sealedIn(store, register, signer, files);
    },
    paths: () =>
      [...box.tree().keys()]
        .filter((path) => path.startsWith(`${root}/`))
        .map((path) => path.slice(root.length + 1)),
    async close() {
      for (const folder of folders) await folder.close();
      await box.close();
    },
  };
}

async function sealedIn(
  store: Connection["store"],
  register: Register,
  signer: SigningKey,
  files: readonly Material[],
): Promise<ShareRequest["exhibits"][number]> {
  serial += 1;
  const entry = await register.reserve(
    {
      case: caseRef,
      reference: `TST/${serial}`,
      initials: undefined,
      sourceId: `test ${serial}`,
      totalBytes: 0,
    },
    soon(),
  );
  const now = new Date().toISOString();
  const entries: ExhibitRecord["files"] = [];
  const proofs = new Map<string, Awaited<ReturnType<typeof store.put>>>();
  for (const [index, file] of files.entries()) {
    const key = contentKey(entry.case, entry.reference, index + 1, file.path);
    const sha256 = sha256Of(file.bytes);
    proofs.set(key, await store.put(key, file.bytes, sha256, soon()));
    const { path, mediaType, bytes } = file;
    entries.push({
      path,
      key,
      sizeBytes: bytes.length,
      modifiedAt: now,
      digest: { sha256 },
      mediaType,
    });
  }
  const { publicJwk, thumbprint } = signer;
  const record: ExhibitRecord = {
    schema: recordType,
    id: entry.id,
    case: entry.case,
    reference: entry.reference,
    sourceId: `test ${serial}`,
    collectedAt: now,
    files: entries,
    uploader: { key: publicJwk, thumbprint },
    tool: { name: "exhibit", version: "0.0.0-test" },
  };
  await register.sealRecord(entry, await seal(record, recordType, signer), proofs, soon());
  return { id: entry.id, case: entry.case, reference: entry.reference };
}

export const picture: Material = {
  path: "Jane Smith 07700900123.jpg",
  mediaType: "image/jpeg",
  bytes: Buffer.from("a picture"),
};
export const film: Material = {
  path: "Jane Smith at the bus.mp4",
  mediaType: "video/mp4",
  bytes: Buffer.from("a film"),
};
export const call: Material = {
  path: "07700900123.wav",
  mediaType: "audio/wav",
  bytes: Buffer.from("a call"),
};
