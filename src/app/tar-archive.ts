import { pack, type Pack } from "tar-stream";

const blockBytes = 512;

/** What a ustar header's size field holds in octal digits; a longer file's size goes into a pax header (POSIX.1, pax interchange format). */
const mostUstarBytes = 8 ** 11 - 1;

/** Latest time that every reader's header field holds: January 2038. */
const latestSeconds = 2 ** 31 - 1;

/** A file about to enter an archive. */
export interface TarFile {
  /** With `/` between folders. */
  readonly name: string;
  readonly sizeBytes: number;
  readonly modifiedAt: Date;
}

export type WriteBytes = (bytes: Uint8Array) => Promise<void>;

/** The name of the file that an archive ends in which was broken off between two files. */
const incompleteName = "INCOMPLETE";

/**
 * Writes a tar stream, file by file, no faster than it is taken. Headers are tar-stream's; the bytes go past it, so that it is known
 * at every moment where in the stream a failure falls: one that was broken off always ends inside a file, because a stream that
 * merely ends between two files is whole to GNU tar.
 */
export class TarArchive {
  readonly #write: WriteBytes;
  /** Bytes that the stream has promised and not yet brought. */
  #owed = 0;

  constructor(write: WriteBytes) {
    this.#write = write;
  }

  /** Adds a file; `content` writes its bytes, exactly as many as were announced. */
  async add(file: TarFile, content: (write: WriteBytes) => Promise<void>): Promise<void> {
    const header = await headerOf(file);
    const over = file.sizeBytes % blockBytes;
    const padding = over > 0 ? blockBytes - over : 0;
    this.#owed = header.length + file.sizeBytes + padding;
    await this.#bring(header);
    let written = 0;
    await content(async (bytes) => {
      written += bytes.byteLength;
      if (written > file.sizeBytes) throw new Error(`${file.name} is longer than was announced.`);
      if (bytes.byteLength > 0) await this.#bring(bytes);
    });
    if (written < file.sizeBytes) throw new Error(`${file.name} is shorter than was announced.`);
    if (padding > 0) await this.#bring(Buffer.alloc(padding));
  }

  async #bring(bytes: Uint8Array): Promise<void> {
    await this.#write(bytes);
    this.#owed -= bytes.byteLength;
  }

  /** Ends the archive: what was written before is all of it. */
  async end(): Promise<void> {
    await this.#write(Buffer.alloc(2 * blockBytes));
  }

  /** Makes sure that nobody takes what was written so far for all of it. */
  async breakOff(): Promise<void> {
    if (this.#owed > 0) return;
    // A header that promises bytes which never come.
    const promised = { name: incompleteName, sizeBytes: blockBytes, modifiedAt: new Date(0) };
    await this.#write(await headerOf(promised));
  }
}

/** A regular file's header, with a pax header before it where the size needs one. */
async function headerOf({ name, sizeBytes, modifiedAt }: TarFile): Promise<Buffer> {
  const seconds = Math.min(Math.max(Math.floor(modifiedAt.getTime() / 1000), 0), latestSeconds);
  const header: Parameters<Pack["entry"]>[0] = {
    name,
    type: "file",
    size: sizeBytes,
    mode: 0o644,
    mtime: new Date(seconds * 1000),
    ...(sizeBytes > mostUstarBytes ? { pax: { size: String(sizeBytes) } } : {}),
  };
  const packing = pack();
  packing.entry(header);
  await new Promise<void>((resolve) => {
    packing.once("readable", () => {
      resolve();
    });
  });
  const pieces: Buffer[] = [];
  for (;;) {
    const piece = packing.read() as Buffer | null;
    if (piece === null) break;
    pieces.push(piece);
  }
  packing.destroy();
  return Buffer.concat(pieces);
}
