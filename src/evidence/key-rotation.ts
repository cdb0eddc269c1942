import { z } from "zod";
import { ExhibitError } from "./errors.ts";
import {
  openSealed,
  publicJwkSchema,
  seal,
  thumbprintOf,
  unverifiedPayload,
  type PublicJwk,
  type Sealed,
  type SigningKey,
} from "./seal.ts";

export const rotationType = "exhibit.key-rotation/1";

/** A server's statement that it signs with another key from now on. */
export const rotationSchema = z.strictObject({
  schema: z.literal(rotationType),
  from: publicJwkSchema,
  to: publicJwkSchema,
  at: z.iso.datetime(),
});
export type KeyRotation = z.infer<typeof rotationSchema>;

/** More than a server that changes its key every month comes to in eight years. */
export const mostRotations = 100;

/** What clocks may differ by before a statement counts as one of the future. */
const aheadMs = 86_400_000;

/** The statement by which a key hands on to another: signed by both, so that nobody is named who does not hold the new one. */
export async function sealRotation(from: SigningKey, to: SigningKey, at: string): Promise<Sealed> {
  const rotation: KeyRotation = {
    schema: rotationType,
    from: from.publicJwk,
    to: to.publicJwk,
    at,
  };
  const [one, other] = [
    await seal(rotation, rotationType, from),
    await seal(rotation, rotationType, to),
  ];
  return { payload: one.payload, signatures: [...one.signatures, ...other.signatures] };
}

/** What a statement says, once both of its keys have signed it. @throws ExhibitError `integrity.signature` */
export async function openRotation(sealed: Sealed): Promise<KeyRotation> {
  const claimed = rotationSchema.safeParse(unverifiedPayload(sealed));
  if (!claimed.success) throw noChain("one of the statements is not well formed");
  const { from, to } = claimed.data;
  if (from.x === to.x) throw noChain("a key hands on to itself");
  await openSealed(sealed, rotationType, from);
  await openSealed(sealed, rotationType, to);
  return claimed.data;
}

/**
 * Goes from a pinned key along the statements to the key that a server signs with now. Every step was signed by the key before it and the
 * key behind it, none is dated before the one before it or after `now`, and no key has handed on twice. A key that comes along
 * counts for nothing unless the chain leads to it from the pin.
 *
 * @param pin the RFC 7638 thumbprint of the key that is trusted
 * @throws ExhibitError `integrity.signature` where there is no such chain
 */
export async function followRotations(
  rotations: readonly Sealed[],
  pin: string,
  target: PublicJwk,
  now: Date,
): Promise<void> {
  if (rotations.length > mostRotations) throw noChain("there are too many statements");
  const steps = new Map<string, KeyRotation>();
  for (const sealed of rotations) {
    const rotation = await openRotation(sealed);
    const from = await thumbprintOf(rotation.from);
    if (steps.has(from)) throw noChain("a key has handed on twice");
    steps.set(from, rotation);
  }
  let at = "";
  for (
    let step = steps.get(pin);
    step !== undefined;
    step = steps.get(await thumbprintOf(step.to))
  ) {
    if (step.at < at) throw noChain("the dates of its statements go back");
    if (Date.parse(step.at) > now.getTime() + aheadMs)
      throw noChain("a statement is of the future");
    at = step.at;
    steps.delete(await thumbprintOf(step.from));
    if (step.to.x === target.x) return;
  }
  throw noChain("no unbroken chain leads to it");
}

function noChain(how: string): ExhibitError {
  return new ExhibitError(
    "integrity.signature",
    `The change of the server's key does not count: ${how}.`,
  );
}
