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
 * retirement. What the receipt says of its key only chooses among those of the server's own statement; a server that changed its key since it was asked
 * is asked again.
 */
export async function issuerKeyOf(
  session: Session,
  receipt: Sealed,
  signal: AbortSignal,
): Promise<PublicJwk> {
  const claimed = receiptSchema.safeParse(unverifiedPayload(receipt)).data;
  if (claimed === undefined) return session.statement.key;
  const thumbprint = await thumbprintOf(claimed.issuer.key);
  const known = await find(session, thumbprint, claimed.receivedAt);
  if (known !== undefined) return known;
  await session.askAgain(signal);
  // None: then the signature will not be that of the key it signs with now.
  return (await find(session, thumbprint, claimed.receivedAt)) ?? session.statement.key;
}

async function find(
  { statement }: Session,
  thumbprint: string,
  receivedAt: string,
): Promise<PublicJwk | undefined> {
  if ((await thumbprintOf(statement.key)) === thumbprint) return statement.key;
  for (const { key, retiredAt } of statement.retired ?? []) {
    if (receivedAt <= retiredAt && (await thumbprintOf(key)) === thumbprint) return key;
  }
  return undefined;
}
