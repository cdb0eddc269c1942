import { createParser, type EventSourceMessage } from "eventsource-parser";
import { arrivalSchema, type Arrival } from "../../evidence/arrival.ts";
import { ExhibitError } from "../../evidence/errors.ts";
import type { Inbox } from "../../evidence/ports/inbox.ts";
import {
  inboxCasesPath,
  inboxEventsPath,
  inboxPageSchema,
  inboxPath,
  inboxSeenPath,
  ownCasesSchema,
} from "../../protocol/inbox.ts";
import { unreachable } from "../unreachable.ts";
import { fetchBytes } from "./data-plane.ts";
import type { Session } from "./session.ts";
import { valid } from "./valid-answer.ts";

/** Longer than any event of ours. */
const mostEventCharacters = 64 * 1024;

/** The inbox that an exhibit server keeps for the session's identity. */
export function inboxOf(session: Session): Inbox {
  return {
    async page({ case: caseRef, since }, after, signal) {
      const query = {
        ...(caseRef === undefined ? {} : { case: caseRef }),
        ...(since === undefined ? {} : { since }),
        ...(after === undefined ? {} : { after }),
      };
      const answer = await session.call({ method: "GET", path: inboxPath, query }, signal);
      return valid(inboxPageSchema, answer.body);
    },
    follow: (caseRef, after, signal) => followOnce(session, caseRef, after, signal),
    async seen(upTo, signal) {
      await session.call({ method: "POST", path: inboxSeenPath, body: { upTo } }, signal);
    },
    async cases(signal) {
      const answer = await session.call({ method: "GET", path: inboxCasesPath }, signal);
      return valid(ownCasesSchema, answer.body).cases;
    },
    async setFollowed(caseRef, follow, signal) {
      const body = { case: caseRef, follow };
      await session.call({ method: "POST", path: inboxCasesPath, body }, signal);
    },
  };
}

async function* followOnce(
  session: Session,
  caseRef: string | undefined,
  after: number,
  signal: AbortSignal,
): AsyncGenerator<Arrival | "beat", void> {
  const query =
    caseRef === undefined ? "" : `?${new URLSearchParams({ case: caseRef }).toString()}`;
  const url = `${session.url}${inboxEventsPath}${query}`;
  const headers = { accept: "text/event-stream", "last-event-id": String(after) };
  const { body } = await fetchBytes(session, url, headers, signal);
  const messages: EventSourceMessage[] = [];
  const parser = createParser({ onEvent: (message) => messages.push(message) });
  const decoder = new TextDecoder();
  try {
    for await (const bytes of body as AsyncIterable<Buffer>) {
      parser.feed(decoder.decode(bytes, { stream: true }));
      for (const message of messages.splice(0)) yield* meaning(message);
    }
  } catch (error) {
    signal.throwIfAborted();
    throw error instanceof ExhibitError ? error : unreachable(error as Error, url);
  } finally {
    body.destroy();
  }
}

function* meaning({ event, data }: EventSourceMessage): Generator<Arrival | "beat"> {
  if (event === "beat") yield "beat";
  if (event === "ended") throw accessEnded();
  // What is told by a newer server, and means nothing here.
  if (event !== "arrival" || data.length > mostEventCharacters) return;
  yield valid(arrivalSchema, JSON.parse(data));
}

function accessEnded(): ExhibitError {
  return new ExhibitError("auth.identity-revoked", "Your access to this server was taken back.", {
    hint: "Ask the server's administrator for a new invitation.",
  });
}
