import { once } from "node:events";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { ExhibitError } from "../../evidence/errors.ts";

/** A door on this machine that a person's browser comes back to, once. */
export interface Callback {
  readonly redirectUri: string;
  /**
   * The address that the browser came back with: it carries the state, and a code or the error that the page gave.
   *
   * @throws ExhibitError `auth.sign-in-late`; the signal's reason
   */
  answer(signal: AbortSignal): Promise<URL>;
  close(): void;
}

/** Whose page the browser comes back from, and how they have the door written in their settings. */
export interface CallbackPlace {
  /** Who lets people in, in words: "Box". */
  readonly who: string;
  /** What a person types to try again. */
  readonly again: string;
  /** The address that is registered there, without a port: RFC 8252 section 7.3 leaves the port open. */
  readonly registered: "http://127.0.0.1/callback" | "http://localhost";
}

/** How long a person has for signing in. */
const usualWaitMs = 5 * 60_000;

/** Opens the door on a free port of this machine alone. It believes nobody who does not know `state`. */
export async function openCallback(
  place: CallbackPlace,
  state: string,
  waitMs = usualWaitMs,
): Promise<Callback> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const { hostname, pathname: path } = new URL(place.registered);
  const host = `${hostname}:${port}`;
  // Without a slash where none is registered: some compare letter by letter.
  const redirectUri = `http://${host}${path === "/" ? "" : path}`;
  const came = new Promise<URL>((resolve) => {
    let isUsed = false;
    server.on("request", (request: IncomingMessage, response) => {
      const address = addressOf(request, host);
      const reply = replyTo(request, address, { ...place, path, state, isUsed });
      response.writeHead(reply.status, {
        "content-type": "text/html; charset=utf-8",
        "content-security-policy": "default-src 'none'",
        "cache-control": "no-store",
        "referrer-policy": "no-referrer",
        connection: "close",
      });
      if (reply.status === 200 && address !== undefined) {
        isUsed = true;
        response.on("close", () => {
          resolve(address);
        });
      }
      response.end(
        `<!doctype html><html lang="en"><meta charset="utf-8"><title>exhibit</title><p>${reply.words}</p></html>\n`,
      );
    });
  });
  return {
    redirectUri,
    answer: (signal) => soonEnough(came, place, waitMs, signal),
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}

interface Reply {
  readonly status: number;
  readonly words: string;
}

function replyTo(
  { method }: IncomingMessage,
  address: URL | undefined,
  {
    who,
    path,
    state,
    isUsed,
  }: Pick<CallbackPlace, "who"> & { path: string; state: string; isUsed: boolean },
): Reply {
  if (address?.pathname !== path) return { status: 404, words: "There is nothing here." };
  if (method !== "GET") return { status: 405, words: "This page can only be looked at." };
  const given = address.searchParams;
  if (given.getAll("state").length !== 1 || given.get("state") !== state) {
    return { status: 400, words: "This does not belong to a sign-in that was begun here." };
  }
  if (isUsed) return { status: 410, words: "This sign-in has been used already." };
  if (given.has("error")) {
    return { status: 200, words: `${who} did not let you in. The terminal says what to do.` };
  }
  if (given.get("code") === null)
    return { status: 400, words: `The answer of ${who} is not complete.` };
  return {
    status: 200,
    words: `${who} has answered. Close this page and go back to the terminal.`,
  };
}

/** Where a request goes; undefined when it was not meant for this very door, as when a page elsewhere has its name point here. */
function addressOf({ url, headers }: IncomingMessage, host: string): URL | undefined {
  if (headers.host !== host || !url?.startsWith("/")) return undefined;
  const text = `http://${host}${url}`;
  return URL.canParse(text) ? new URL(text) : undefined;
}

async function soonEnough(
  came: Promise<URL>,
  { who, again }: CallbackPlace,
  waitMs: number,
  signal: AbortSignal,
): Promise<URL> {
  signal.throwIfAborted();
  let timer: NodeJS.Timeout | undefined;
  let stop: (() => void) | undefined;
  const givenUp = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(
        new ExhibitError("auth.sign-in-late", `Nobody signed in on the page of ${who} in time.`, {
          hint: `There are five minutes for it. Try again: ${again}`,
        }),
      );
    }, waitMs);
    stop = () => {
      reject(signal.reason as Error);
    };
    signal.addEventListener("abort", stop, { once: true });
  });
  try {
    return await Promise.race([came, givenUp]);
  } finally {
    clearTimeout(timer);
    if (stop !== undefined) signal.removeEventListener("abort", stop);
  }
}
