import { randomBytes } from "node:crypto";
import { calculateJwkThumbprint } from "jose";
import { ExhibitError } from "../../evidence/errors.ts";
import type { Clock } from "../../evidence/ports/clock.ts";
import { openSealed, sealedSchema, unverifiedPayload } from "../../evidence/seal.ts";
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
  /** This machine's clock minus the server's. */
  readonly clockOffsetMs: number;
}

/**
 * Asks a server who it is, before anything secret is sent, and believes only what the pinned key has signed over a
 * fresh nonce. Without a pin, the key that it names has to have signed, and whoever asks must have it agreed to. Tells how far this machine's clock is off by the signed time, taken at half the round trip.
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
  const statement = await readStatement(body, pin, nonce, url);
  if (statement.publicUrl !== url) {
    throw new ExhibitError("usage.invalid", `The server at ${url} goes by another address.`, {
      hint: `Use ${statement.publicUrl} instead.`,
    });
  }
  const clockOffsetMs = Math.round((before + after) / 2 - Date.parse(statement.at));
  if (Math.abs(clockOffsetMs) > dayMs) throw clockTooWrong(clockOffsetMs, statement.at);
  return { statement, clockOffsetMs };
}

async function readStatement(
  body: unknown,
  pin: string | undefined,
  nonce: string,
  url: string,
): Promise<ServerStatement> {
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
  const thumbprint = await calculateJwkThumbprint(key);
  if (pin !== undefined && thumbprint !== pin) throw keyChanged(url);
  const statement = serverStatementSchema.parse(
    await openSealed(sealed.data, serverStatementType, key),
  );
  if (statement.nonce !== nonce || statement.thumbprint !== thumbprint) throw keyChanged(url);
  return statement;
}

function keyChanged(url: string): ExhibitError {
  return new ExhibitError(
    "auth.server-key-changed",
    `The server at ${url} is not the one that was agreed on: it has another key.`,
    {
      hint: "Send nothing. Ask the server's administrator whether it was set up anew; then log in with a new invitation.",
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
