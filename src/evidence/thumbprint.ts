import { z } from "zod";

/** What a key is known by: the SHA-256 of its RFC 7638 form, in base64url. */
export const thumbprintSchema = z
  .string()
  .regex(/^[A-Za-z0-9_-]{43}$/, "must be the 43 characters that exhibit key list shows");
