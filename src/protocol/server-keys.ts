import { z } from "zod";
import { mostRotations } from "../evidence/key-rotation.ts";
import { publicJwkSchema, sealedSchema } from "../evidence/seal.ts";

/**
 * `GET /.well-known/exhibit-keys.json`: the key that the server signs with now, first, those it signed with once, with the dates of their
 * retirement, and the statements by which each handed on to the next. No sign-in needed. It proves nothing by itself: a
 * key counts where it is pinned, or where a chain of `rotations` leads to it from a pin.
 */
export const serverKeysPath = "/.well-known/exhibit-keys.json";

export const serverKeysSchema = z.object({
  keys: z.array(
    publicJwkSchema.extend({ kid: z.string(), retiredAt: z.iso.datetime().optional() }),
  ),
  rotations: z.array(sealedSchema).max(mostRotations).default([]),
});
