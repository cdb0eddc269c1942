import type { FastifyReply } from "fastify";
import type { Readable } from "node:stream";
import { ExhibitError, hasCode } from "../../evidence/errors.ts";
import type { StreamName } from "../shares/live-shares.ts";
import type { ShareDesk } from "../shares/share-desk.ts";
import { isShared } from "../shares/share-rows.ts";
import { sendEnded } from "./guarded-viewing.ts";
import type { Viewing } from "./visit.ts";

/** Content that is ready to go out. */
export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | number>>;
  readonly body: Buffer | Readable | string;
}

/**
 * Makes and sends content so that it can be cut off. It is entered first; then the share's state is read once more
 * (a revocation before that is seen here, one after it finds the entry); then `make` runs; and until the
 * last byte is out, a cut breaks the response off.
 */
export async function sendCuttable(
  desk: ShareDesk,
  viewing: Viewing,
  file: Omit<StreamName, "session">,
  reply: FastifyReply,
  make: (signal: AbortSignal) => Promise<Answer>,
): Promise<FastifyReply> {
  const { share, session } = viewing;
  const stream = desk.live.begin(share.id, { ...file, session: session.id });
  const gone = new AbortController();
  reply.raw.once("close", () => {
    stream.end();
    gone.abort();
  });
  stream.signal.addEventListener("abort", () => {
    if (reply.raw.headersSent) reply.raw.destroy();
  });
  const { database, clock } = desk.deps;
  if (!(await isShared(database, session.id, file.exhibit, clock.now()))) return sendEnded(reply);
  try {
    const answer = await twice(make, AbortSignal.any([stream.signal, gone.signal]));
    if (!stream.signal.aborted) {
      return await reply.code(answer.status).headers(answer.headers).send(answer.body);
    }
  } catch (error) {
    if (!stream.signal.aborted) throw error;
  }
  // The server stops, which ends nothing for the recipient.
  if (stream.signal.reason instanceof ExhibitError) throw stream.signal.reason;
  return sendEnded(reply);
}

/**
 * Makes it again when it was cleared away under our hands although nobody cut it: copies go by share, and another
 * exhibit of this share was just taken out.
 */
async function twice(
  make: (signal: AbortSignal) => Promise<Answer>,
  signal: AbortSignal,
): Promise<Answer> {
  try {
    return await make(signal);
  } catch (error) {
    if (signal.aborted || !hasCode(error, "not-found.share")) throw error;
    return make(signal);
  }
}
