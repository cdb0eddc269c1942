import { formatAddress } from "../../evidence/address.ts";
import type { Share } from "../../evidence/share.ts";
import { deliveryInWords } from "./hand-over-lines.ts";
import { facts, toTheSecond } from "./result.ts";
import type { Theme } from "./theme.ts";

/** A share as lines for a person. */
export function shareFacts(share: Share, theme: Theme): string[] {
  return facts(
    [
      ["Share", share.id],
      ["State", share.state],
      ["Recipient", `${share.recipient.name} <${share.recipient.email}>`],
      ["Access", share.access === "view" ? "watermarked viewing" : "unaltered originals"],
      ["Purpose", share.purpose],
      ["Made", toTheSecond(share.createdAt)],
      ["Until", toTheSecond(share.expiresAt)],
      ["Revoked", share.revokedAt],
      ["Mail", deliveryInWords(share)],
      ...share.exhibits.map((exhibit): [string, string] => [
        "Exhibit",
        `${formatAddress(exhibit)}${exhibit.revokedAt === undefined ? "" : ` (taken out ${exhibit.revokedAt})`}`,
      ]),
    ],
    theme,
  );
}
