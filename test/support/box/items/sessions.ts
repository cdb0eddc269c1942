import { createHash, randomBytes, type Hash } from "node:crypto";
import type { User } from "../accounts/users.ts";
import { forbidden, notFound, Refusal } from "../http/answer.ts";
import type { Call } from "../http/call.ts";
import type { World } from "../world.ts";
import { boxDate } from "./dates.ts";
import type { File, Folder } from "./items.ts";

export interface StoredPart {
  readonly id: string;
  readonly offset: number;
  readonly size: number;
  /** In hex. */
  readonly sha1: string;
  readonly buffers: readonly Buffer[];
}

/** A file on its way, part by part. */
export class Session {
  readonly id = randomBytes(16).toString("hex").toUpperCase();
  /** By their number. Once stored, a part does not change. */
  readonly parts = new Map<number, StoredPart>();
  /** Of all parts from the first to the first gap. */
  private readonly hash: Hash = createHash("sha1");
  private hashed = 0;
  /** Answers of 202 that the commit still gives; undefined before it was asked for. */
  notReady: number | undefined;

  readonly user: User;
  readonly target: { readonly folder: Folder; readonly name: string; readonly file?: File };
  readonly size: number;
  readonly partBytes: number;
  readonly expiresAt: Date;

  constructor(
    user: User,
    target: { readonly folder: Folder; readonly name: string; readonly file?: File },
    size: number,
    partBytes: number,
    expiresAt: Date,
  ) {
    this.user = user;
    this.target = target;
    this.size = size;
    this.partBytes = partBytes;
    this.expiresAt = expiresAt;
  }

  get totalParts(): number {
    return Math.ceil(this.size / this.partBytes);
  }

  /** Takes a part in. The digest of the whole file keeps up as far as there is no gap. */
  store(number: number, part: StoredPart): void {
    this.parts.set(number, part);
    for (;;) {
      const next = this.parts.get(this.hashed);
      if (next === undefined) return;
      for (const buffer of next.buffers) this.hash.update(buffer);
      this.hashed += 1;
    }
  }

  /** Digest of the whole file, once all parts are there. */
  digest(): Buffer {
    return this.hash.copy().digest();
  }

  /** Parts by offset. */
  sorted(): StoredPart[] {
    return [...this.parts.values()].sort((a, b) => a.offset - b.offset);
  }
}

/** All sessions that are open, and those that are over but not forgotten. */
export class Sessions {
  readonly open = new Map<string, Session>();

  private readonly world: World;

  constructor(world: World) {
    this.world = world;
  }

  make(user: User, target: Session["target"], size: number): Session {
    const { partBytes, sessionDays } = this.world.settings;
    const expiresAt = new Date(this.world.now().getTime() + sessionDays * 86_400_000);
    const session = new Session(user, target, size, partBytes, expiresAt);
    this.open.set(session.id, session);
    return session;
  }

  /** The session that a path names, for the user who made it. */
  of(call: Call): Session {
    const id = call.param("session");
    if (!/^[\dA-F]{32}$/i.test(id)) {
      throw new Refusal(400, "invalid_upload_session_id", "The upload session id is invalid");
    }
    const session = this.open.get(id.toUpperCase());
    if (session === undefined) throw notFound("The upload session is not known");
    if (session.user !== call.access.user) {
      throw forbidden(
        "Only the user who initiated the upload session may upload to it",
        "forbidden",
      );
    }
    if (session.expiresAt <= this.world.now()) {
      throw new Refusal(410, "session_expired", "The upload session has expired");
    }
    return session;
  }

  /** The live one for a name in a folder. */
  sameTarget(target: Session["target"]): Session | undefined {
    for (const one of this.open.values()) {
      const { folder, name, file } = one.target;
      const same = folder === target.folder && name.toLowerCase() === target.name.toLowerCase();
      if (same && file === target.file && one.expiresAt > this.world.now()) return one;
    }
    return undefined;
  }

  end(session: Session): void {
    this.open.delete(session.id);
    this.release(session);
  }

  /** Keeps a name from others while its session commits. */
  reserve(session: Session): void {
    const { target } = session;
    target.folder.reserved.set(target.name.toLowerCase(), session);
  }

  release(session: Session): void {
    const { folder, name } = session.target;
    if (folder.reserved.get(name.toLowerCase()) === session) {
      folder.reserved.delete(name.toLowerCase());
    }
  }

  body(session: Session): Record<string, unknown> {
    const base = `${this.world.origins.session}/api/2.0/files/upload_sessions/${session.id}`;
    return {
      id: session.id,
      type: "upload_session",
      session_expires_at: boxDate(session.expiresAt),
      part_size: session.partBytes,
      total_parts: session.totalParts,
      num_parts_processed: session.parts.size,
      session_endpoints: {
        upload_part: base,
        commit: `${base}/commit`,
        abort: base,
        list_parts: `${base}/parts`,
        status: base,
        log_event: `${base}/log`,
      },
    };
  }
}
