import { pack } from "tar-stream";
import { exhibitPrefix, recordName } from "../../evidence/key.ts";
import type { SmallExhibit } from "../../evidence/ports/bundles.ts";

/** Names and lengths are all that counts; a time would only make the same bundle another. */
const mtime = new Date(0);

/** Exhibits as one tar stream, whole in memory: each one's record, then its file. The same exhibits give the same bytes. */
export function bundleTar(exhibits: readonly SmallExhibit[]): Promise<Buffer> {
  const stream = pack();
  const parts: Buffer[] = [];
  const whole = new Promise<Buffer>((resolve, reject) => {
    stream.on("data", (part) => parts.push(part as Buffer));
    stream.once("error", reject);
    stream.once("end", () => {
      resolve(Buffer.concat(parts));
    });
  });
  for (const { entry, key, bytes, record } of exhibits) {
    const name = `${exhibitPrefix(entry.case, entry.reference)}/${recordName}`;
    stream.entry({ name, mtime }, JSON.stringify(record));
    stream.entry({ name: key, mtime }, Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length));
  }
  stream.finalize();
  return whole;
}
