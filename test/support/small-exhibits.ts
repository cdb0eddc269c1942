import { randomBytes } from "node:crypto";
import { sha256Of, digestField } from "../../src/evidence/digest.ts";
import { ExhibitError } from "../../src/evidence/errors.ts";
import type { Bundles, SmallExhibit } from "../../src/evidence/ports/bundles.ts";
import type { ExhibitRecord } from "../../src/evidence/record.ts";
import { bundlesOf } from "../../src/stores/server/bundles.ts";
import { keyIn, recordOf, raw, type RawAnswer } from "./sending.ts";
import { soon, type Person } from "./server.ts";
import { pack } from "tar-stream";
import type { SealedExhibit } from "../../src/evidence/ports/register.ts";
import { bundledSchema } from "../../src/protocol/bundles.ts";

let sources = 0;

/** What someone's session can do with bundles; the server must take them. */
export function bundlesFor(person: Person): Bundles {
  const bundles = bundlesOf(person.session);
  if (bundles === undefined) throw new Error("This server takes no bundles.");
  return bundles;
}

/** Reserves exhibits of one small random file each, with the records that will seal them. */
export async function smallExhibits(
  person: Person,
  count: number,
  options: {
    readonly sizeBytes?: number;
    readonly case?: string;
    readonly changes?: Partial<ExhibitRecord>;
  } = {},
): Promise<SmallExhibit[]> {
  const { sizeBytes = 1000, case: caseRef = "01AB1234526" } = options;
  const reservations = Array.from({ length: count }, () => ({
    case: caseRef,
    reference: undefined,
    initials: "SML",
    sourceId: `small ${(sources += 1)}`,
    totalBytes: sizeBytes,
  }));
  const entries = await bundlesFor(person).reserveAll(reservations, soon());
  return Promise.all(
    entries.map(async (entry, index) => {
      if (entry instanceof ExhibitError) throw entry;
      const bytes = randomBytes(sizeBytes);
      const key = keyIn(entry);
      const { sourceId } = reservations[index] ?? { sourceId: "" };
      const record = await recordOf(person, entry, sourceId, [{ key, bytes }], options.changes);
      return { entry, key, bytes, sha256: sha256Of(bytes), record };
    }),
  );
}

/** A tar stream of any files at all. */
export async function tarOf(
  files: readonly { name: string; bytes: Uint8Array | string; type?: "symlink" | "directory" }[],
): Promise<Buffer> {
  const stream = pack();
  for (const { name, bytes, type } of files) {
    if (type === undefined) stream.entry({ name }, Buffer.from(bytes));
    else stream.entry({ name, type, linkname: "/etc/passwd" });
  }
  stream.finalize();
  const parts: Buffer[] = [];
  for await (const part of stream) parts.push(part as Buffer);
  return Buffer.concat(parts);
}

/** The same stream, with other fields in its first header (by their offsets) and the right sum for them. */
export function withHeader(stream: Buffer, fields: Readonly<Record<number, string>>): Buffer {
  const changed = Buffer.from(stream);
  for (const [at, text] of Object.entries(fields)) changed.write(text, Number(at), "latin1");
  changed.write(" ".repeat(8), 148, "latin1");
  const sum = changed.subarray(0, 512).reduce((total, byte) => total + byte, 0);
  changed.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148, "latin1");
  return changed;
}

/** An exhibit's two files in a bundle. */
export function filesOf({ entry, key, bytes, record }: SmallExhibit) {
  const name = key.replace(/[^/]+$/, "record.json");
  return [
    { name: key, bytes },
    { name, bytes: JSON.stringify(record), entry },
  ];
}

/** Sends a stream as someone, and reads the answer as it is. */
export function send(
  person: Person,
  stream: Buffer,
  digest = sha256Of(stream),
): Promise<RawAnswer> {
  return raw(person, {
    method: "POST",
    path: "/v1/bundles",
    headers: { "content-type": "application/x-tar", "content-digest": digestField(digest) },
    body: stream,
  });
}

/** What became of each: `sealed`, or the code of its refusal. */
export function outcomes(answer: RawAnswer): string[] {
  return bundledSchema
    .parse(answer.json)
    .answers.map((one) => ("problem" in one ? one.problem.code : one.entry.state));
}

/** What became of each: `sealed`, or the code of its refusal. */
export function codes(answers: readonly (SealedExhibit | ExhibitError)[]): string[] {
  return answers.map((one) => (one instanceof ExhibitError ? one.code : one.state));
}
