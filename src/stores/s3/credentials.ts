// Not on demand: bundled, a package in CommonJS has no names then. This file is loaded for stores in S3 only.
import { defaultProvider } from "@aws-sdk/credential-provider-node";
import { ExhibitError } from "../../evidence/errors.ts";
import type { S3Address } from "../../evidence/s3-address.ts";
import type { Network } from "../network.ts";
import type { Keys } from "./signing.ts";

/** Gives keys that are good for the next minutes; new ones, whatever those it had, when told so. */
export type FindKeys = (renew?: boolean) => Promise<Keys>;

/**
 * Keys as the AWS tools find them on this computer: environment, profile, single sign-on, web identity, the instance's own. Those
 * that expire are replaced before they do.
 */
export function keysOfThisComputer({ profile, region }: S3Address, network: Network): FindKeys {
  // Whatever is asked of AWS for it, single sign-on and web identity, goes the way that all else goes.
  const { agent } = network.route(`https://sts.${region}.amazonaws.com`);
  const requestHandler = { httpAgent: agent.http, httpsAgent: agent.https };
  const provide = defaultProvider({
    ...(profile === undefined ? {} : { profile }),
    clientConfig: { region, requestHandler },
  });
  return async (renew = false) => {
    try {
      return await provide({ forceRefresh: renew });
    } catch (cause) {
      throw noKeys(profile, cause);
    }
  };
}

function noKeys(profile: string | undefined, cause: unknown): ExhibitError {
  const what =
    profile === undefined
      ? "No keys for S3 were found on this computer."
      : `The AWS profile ${profile} gives no keys.`;
  return new ExhibitError("auth.no-credentials", what, {
    hint: "Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, name a profile in the store's address (profile=NAME), or sign in again: aws sso login.",
    cause,
  });
}
