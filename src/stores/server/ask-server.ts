import { randomBytes } from "node:crypto";
import { ExhibitError, hasCode } from "../../evidence/errors.ts";
import { followRotations } from "../../evidence/key-rotation.ts";
import type { Clock } from "../../evidence/ports/clock.ts";
import { openSealed, sealedSchema, thumbprintOf, unverifiedPayload } from "../../evidence/seal.ts";
import { serverKeysPath, serverKeysSchema } from "../../protocol/server-keys.ts";
import {
  serverStatementPath,
  serverStatementSchema,
  serverStatementType,
  type ServerStatement,
} from "../../protocol/server-statement.ts";
import type { Route } from "../network.ts";
import { callServer } from "./http.ts";

const dayMs = 86_400_000;

export interface KnownServer {
  readonly statement: ServerStatement;
  /** Of the key that it signs with now: the pin, or one that the pin has led to. */
  readonly thumbprint: string;
  /** Keys that it signed with once. */
  readonly retired: readonly { readonly thumbprint: string; readonly retiredAt: string }[];
  /** This machine's clock minus the server's. */
  readonly clockOffsetMs: number;
}

/**
 * Asks a server who it is, before anything secret is sent, and believes only what the pinned key has signed over a
 * fresh nonce, or a key that an unbroken chain of sealed statements leads to from the pinned one. Without a pin, the key that it names has
 * to have signed, and whoever asks must have it agreed to. Tells how far this machine's clock is off by the signed time, taken at half the round trip.
 *
 * @throws ExhibitError `auth.server-key-changed`; `auth.clock-wrong` beyond 24 hours; `usage.invalid` when the server
 * goes by another address; `unavailable.store`
 */
export async function askServer(
  url: string,
  pin: string | undefined,
  route: Route,
  clock: Clock,
  signal: AbortSignal,
): Promise<KnownServer> {
  const nonce = randomBytes(24).toString("base64url");
  const before = clock.now().getTime();
  const call = { method: "GET", path: serverStatementPath, query: { nonce } } as const;
  const { body } = await callServer(url, route, call, {}, signal);
  const after = clock.now().getTime();
  const statement = await readStatement(body, nonce, url);
  const thumbprint = await thumbprintOf(statement.key);
  if (pin !== undefined && thumbprint !== pin)
    await requireChain(url, pin, statement, route, signal);
  if (statement.publicUrl !== url) {
    throw new ExhibitError("usage.invalid", `The server at ${url} goes by another address.`, {
      hint: `Use ${statement.publicUrl} instead.`,
    });
  }
  const clockOffsetMs = Math.round((before + after) / 2 - Date.parse(statement.at));
  if (Math.abs(clockOffsetMs) > dayMs) throw clockTooWrong(clockOffsetMs, statement.at);
  const retired = await Promise.all(
    (statement.retired ?? []).map(async ({ key, retiredAt }) => ({
      thumbprint: await thumbprintOf(key),
      retiredAt,
    })),
  );
  return { statement, thumbprint, retired, clockOffsetMs };
}

/** @throws ExhibitError `auth.server-key-changed` where no chain leads from the pinned key to the one of the statement */
async function requireChain(
  url: string,
  pin: string,
  { key, at }: ServerStatement,
  route: Route,
  signal: AbortSignal,
): Promise<void> {
  const call = { method: "GET", path: serverKeysPath } as const;
  const answer = await callServer(url, route, call, {}, signal).catch((error: unknown) => {
    if (error instanceof ExhibitError && error.code === "not-found.route") throw keyChanged(url);
    throw error;
  });
  const published = serverKeysSchema.safeParse(answer.body);
  if (!published.success) throw keyChanged(url);
  try {
    await followRotations(published.data.rotations, pin, key, new Date(at));
  } catch (cause) {
    if (hasCode(cause, "integrity.signature")) throw keyChanged(url, cause);
    throw cause;
  }
}

/** The statement, as the key that it names has signed it. Whether that key counts is another question. */
async function readStatement(body: unknown, nonce: string, url: string): Promise<ServerStatement> {
  const sealed = sealedSchema.safeParse(body);
  const claimed = sealed.success
    ? serverStatementSchema.safeParse(unverifiedPayload(sealed.data))
    : undefined;
  if (!sealed.success || claimed?.success !== true) {
    throw new ExhibitError("unavailable.store", `${url} does not answer like an exhibit server.`, {
      hint: "Check the address.",
    });
  }
  const { key } = claimed.data;
  const statement = serverStatementSchema.parse(
    await openSealed(sealed.data, serverStatementType, key),
  );
  if (statement.nonce !== nonce) throw keyChanged(url);
  return statement;
}

function keyChanged(url: string, cause?: Error): ExhibitError {
  return new ExhibitError(
    "auth.server-key-changed",
    `The server at ${url} is not the one that was agreed on: it has another key.`,
    {
      hint: "Send nothing. Ask the server's administrator whether it was set up anew; then log in with a new invitation.",
      cause,
    },
  );
}

function clockTooWrong(offsetMs: number, serverTime: string): ExhibitError {
  const hours = Math.round(Math.abs(offsetMs) / 3_600_000);
  const way = offsetMs > 0 ? "ahead of" : "behind";
  return new ExhibitError(
    "auth.clock-wrong",
    `This computer's clock is ${hours} hours ${way} the server's, which says ${serverTime}.`,
    {
      hint: "Set this computer's date and time, and try again.",
      facts: { offsetSeconds: Math.round(offsetMs / 1000) },
    },
  );
}
