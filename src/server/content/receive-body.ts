import type { FastifyInstance, FastifyRequest } from "fastify";
import { finished, Readable } from "node:stream";
import { parseDigestField } from "../../evidence/digest.ts";
import { ExhibitError } from "../../evidence/errors.ts";
import type { BytesInFlight } from "./bytes-in-flight.ts";
import { letGo } from "./let-go.ts";
import { SpareBuffers } from "./spare-buffers.ts";

const bodyType = "application/octet-stream";

const spare = new SpareBuffers();

/**
 * Lets a room's routes take bodies of bytes as streams, so that nothing is read before it is known to be wanted. A refused body
 * is read to its end, so that its sender hears why; once `stop` is aborted its connection is ended instead.
 */
export function takeBodiesAsStreams(
  app: FastifyInstance,
  stop: AbortSignal,
  mediaType = bodyType,
): void {
  app.addHook("onError", (request, reply, _error, done) => {
    if (stop.aborted && !request.raw.complete) void reply.header("connection", "close");
    done();
  });
  app.removeContentTypeParser("text/plain");
  app.addContentTypeParser(mediaType, (_request, payload, done) => {
    done(null, payload);
  });
}

/** What a request says of its body before the body is read. */
export interface DeclaredBody {
  readonly length: number;
  readonly sha256: string;
}

/** @throws ExhibitError `usage.missing` without `Content-Length` or a SHA-256 in `Content-Digest`, `policy.too-large` */
export function declaredBody(request: FastifyRequest, mostBytes: number): DeclaredBody {
  const length = Number(request.headers["content-length"]);
  const field = request.headers["content-digest"];
  const sha256 = parseDigestField(Array.isArray(field) ? field.join(", ") : field);
  if (!Number.isSafeInteger(length) || sha256 === undefined) {
    throw new ExhibitError("usage.missing", "The body's length or its digest was not declared.", {
      hint: "Send Content-Length and Content-Digest: sha-256=:…: (RFC 9530) with it.",
    });
  }
  if (length > mostBytes) {
    throw new ExhibitError("policy.too-large", "This body is larger than the server takes.", {
      hint: `Send ${mostBytes} bytes at most in one request.`,
      facts: { length, mostBytes },
    });
  }
  return { length, sha256 };
}

/**
 * Receives a body whole into one buffer and works on it, within the bounds of `memory`; the buffer is used again
 * afterwards. `stop` ends a body that is still on its way; one that has arrived is worked on to the end.
 */
export function withBody<T>(
  request: FastifyRequest,
  { length }: DeclaredBody,
  memory: BytesInFlight,
  stop: AbortSignal,
  work: (bytes: Buffer) => Promise<T>,
): Promise<T> {
  return memory.hold(request.caller.id, length, stop, async () => {
    const buffer = spare.take(length);
    try {
      const bytes = buffer.subarray(0, length);
      await receive(request.body, bytes, stop);
      return await work(bytes);
    } finally {
      spare.give(buffer);
    }
  });
}

/** Piece by piece as they come: an async iteration would join pieces first, and costs more than copying them. */
function receive(body: unknown, bytes: Buffer, stop: AbortSignal): Promise<void> {
  const length = bytes.byteLength;
  if (length === 0) return Promise.resolve();
  if (!(body instanceof Readable)) {
    throw new ExhibitError("usage.invalid", "The body is not of the type that is taken here.");
  }
  return new Promise((resolve, reject) => {
    let at = 0;
    const end = (): void => {
      body.destroy();
    };
    stop.addEventListener("abort", end);
    finished(body, { writable: false }, (error) => {
      stop.removeEventListener("abort", end);
      if (error !== undefined && error !== null) reject(error);
      else if (at < length) reject(notAsDeclared(length));
      else resolve();
    });
    body.on("data", (piece: Buffer) => {
      if (at + piece.byteLength > length) {
        body.destroy(notAsDeclared(length));
        return;
      }
      at += piece.copy(bytes, at);
      letGo(piece);
    });
  });
}

function notAsDeclared(length: number): ExhibitError {
  return new ExhibitError("usage.invalid", "The body has not the length that was declared.", {
    facts: { length },
  });
}
