import { randomBytes } from "node:crypto";

/** Crockford's base 32 in lower case: no letter that can be read as a digit. */
const alphabet = "0123456789abcdefghjkmnpqrstvwxyz";

/** A random id of `length` characters (5 bits each) behind `prefix`, e.g. `x7k…` for an exhibit. */
export function randomId(prefix: string, length = 26): string {
  let id = prefix;
  for (const byte of randomBytes(length)) id += alphabet.charAt(byte & 31);
  return id;
}
