import { z } from "zod";

/**
 * What was checked before a file was said to have arrived, strongest first: `whole` (the far end
 * recomputed the SHA-256), `parts` (the store enforced every part's SHA-256; sizes and order
 * confirmed), `read-back` (this program read it again from the store), `transport` (the store
 * enforced a SHA-1 or MD5), `size`.
 */
export const proofLevels = ["whole", "parts", "read-back", "transport", "size"] as const;
export const proofSchema = z.enum(proofLevels);
export type Proof = z.infer<typeof proofSchema>;

/** True when `proof` is at least as strong as `wanted`. Exit code 0 needs `transport` or better. */
export function proves(proof: Proof, wanted: Proof): boolean {
  return proofLevels.indexOf(proof) <= proofLevels.indexOf(wanted);
}
