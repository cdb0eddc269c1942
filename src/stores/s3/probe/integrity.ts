import { createHash } from "node:crypto";
import { crc32 } from "node:zlib";
import type { Outcome, StoreFinding } from "../../../evidence/ports/store-probe.ts";
import { reactionOf } from "./reaction.ts";
import type { Scratch } from "./scratch.ts";

/** The message that the standards of checksums give their results for. */
const body = Buffer.from("123456789");
const other = Buffer.from("123456780");
const wrongSha256 = createHash("sha256").update(other).digest("hex");

/** Each checksum of {@link body}, right and wrong, in base64. Those of CRC32C and CRC64NVME are their published check values. */
const checksums: Readonly<Record<string, { readonly right: string; readonly wrong: string }>> = {
  crc32: { right: uint32(crc32(body)), wrong: uint32(crc32(other)) },
  crc32c: { right: uint32(0xe3069283), wrong: uint32(0xe3069284) },
  crc64nvme: { right: base64("ae8b14860a799888"), wrong: base64("ae8b14860a799889") },
  sha1: { right: digest("sha1", body), wrong: digest("sha1", other) },
  sha256: { right: digest("sha256", body), wrong: digest("sha256", other) },
};

export interface IntegrityFound {
  readonly payloadHash: boolean;
  readonly contentMd5: boolean;
  readonly checksums: readonly string[];
  readonly findings: readonly StoreFinding[];
}

/** Which of the digests that go with a body the store compares with it. */
export async function checkIntegrity(scratch: Scratch): Promise<IntegrityFound> {
  const findings: StoreFinding[] = [];
  const add = (id: string, what: string, outcome: Outcome): boolean => {
    findings.push({ id, what, outcome, detail: undefined });
    return outcome === "enforced";
  };
  const md5 = (wrong: boolean): { readonly headers: Record<string, string> } => ({
    headers: { "content-md5": digest("md5", wrong ? other : body) },
  });
  const hash = add(
    "payload-hash",
    "SHA-256 of a body, signed with it (x-amz-content-sha256)",
    await reactionOf(
      () => scratch.put(scratch.key("payload-hash"), body),
      () => scratch.put(scratch.key("payload-hash-wrong"), body, { sha256: wrongSha256 }),
    ),
  );
  const md5OfPut = add(
    "content-md5",
    "MD5 of a body (Content-MD5)",
    await reactionOf(
      () => scratch.put(scratch.key("content-md5"), body, md5(false)),
      () => scratch.put(scratch.key("content-md5-wrong"), body, md5(true)),
    ),
  );
  const key = scratch.key("parts-digests");
  const id = await scratch.begin(key);
  const hashOfPart = add(
    "payload-hash-part",
    "SHA-256 of a part, signed with it",
    await reactionOf(
      () => scratch.putPart(key, id, body),
      () => scratch.putPart(key, id, body, { sha256: wrongSha256 }),
    ),
  );
  const md5OfPart = add(
    "content-md5-part",
    "MD5 of a part",
    await reactionOf(
      () => scratch.putPart(key, id, body, md5(false)),
      () => scratch.putPart(key, id, body, md5(true)),
    ),
  );
  const enforced: string[] = [];
  for (const [name, { right, wrong }] of Object.entries(checksums)) {
    const header = `x-amz-checksum-${name}`;
    const put = (suffix: string, value: string): ReturnType<Scratch["put"]> =>
      scratch.put(scratch.key(`${name}${suffix}`), body, { headers: { [header]: value } });
    const outcome = await reactionOf(
      () => put("", right),
      () => put("-wrong", wrong),
    );
    if (add(header.replace("x-amz-", ""), `Checksum in ${header}`, outcome)) enforced.push(name);
  }
  return {
    payloadHash: hash && hashOfPart,
    contentMd5: md5OfPut && md5OfPart,
    checksums: enforced,
    findings,
  };
}

function digest(algorithm: string, bytes: Buffer): string {
  return createHash(algorithm).update(bytes).digest("base64");
}

function uint32(value: number): string {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes.toString("base64");
}

function base64(hex: string): string {
  return Buffer.from(hex, "hex").toString("base64");
}
