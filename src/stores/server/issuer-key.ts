import { receiptSchema } from "../../evidence/receipt.ts";
import {
  thumbprintOf,
  unverifiedPayload,
  type PublicJwk,
  type Sealed,
} from "../../evidence/seal.ts";
import type { Session } from "./session.ts";

/**
 * The key of the server that must have signed a receipt: the one it signs with now, or a retired one for a receipt that is not younger than its
 * retirement. What the receipt says of its key only chooses among those of the server's own statement.
 */
export async function issuerKeyOf(
  session: Session,
  receipt: Sealed,
  signal: AbortSignal,
): Promise<PublicJwk> {
  const claimed = receiptSchema.safeParse(unverifiedPayload(receipt)).data;
  if (claimed === undefined) return session.statement.key;
  const { issuer, receivedAt } = claimed;
  // None: then the signature will not be that of the key it signs with now.
  return (
    (await keyInUse(session, await thumbprintOf(issuer.key), receivedAt, signal)) ??
    session.statement.key
  );
}

/**
 * The key with this thumbprint, as far as the server's own statement says that it signed with it at that time; undefined where it says nothing of the
 * kind. A server that changed its key since it was asked is asked again.
 */
export async function keyInUse(
  session: Session,
  thumbprint: string,
  at: string,
  signal: AbortSignal,
): Promise<PublicJwk | undefined> {
  const known = await find(session, thumbprint, at);
  if (known !== undefined) return known;
  await session.askAgain(signal);
  return find(session, thumbprint, at);
}

async function find(
  { statement }: Session,
  thumbprint: string,
  at: string,
): Promise<PublicJwk | undefined> {
  if ((await thumbprintOf(statement.key)) === thumbprint) return statement.key;
  for (const { key, retiredAt } of statement.retired ?? []) {
    if (at <= retiredAt && (await thumbprintOf(key)) === thumbprint) return key;
  }
  return undefined;
}
