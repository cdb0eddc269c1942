import { boxAddress } from "../../evidence/box-address.ts";
import type { Network } from "../network.ts";
import { BoxApi } from "./api.ts";
import { Calm } from "./calm.ts";
import { boxLimits } from "./capabilities.ts";
import type { Tokens } from "../sign-in/shared-token.ts";
import { BoxWire } from "./wire.ts";

/** Prepares to speak to Box about a store; nothing is asked of it yet. @throws ExhibitError `usage.invalid`, `policy.insecure-address` */
export function openBox(
  url: string,
  { network, toolVersion }: { readonly network: Network; readonly toolVersion: string },
  tokens: Tokens,
  { uploadsPerMinute } = boxLimits,
): BoxApi {
  return new BoxApi(
    boxAddress(url),
    new BoxWire(network, toolVersion),
    tokens,
    new Calm(uploadsPerMinute),
  );
}
