import type { NewShare } from "../../src/evidence/ports/sharing.ts";

/** A new share whose code is handed over by hand. */
export type CodedShare = NewShare & { readonly code: string };

/** A share that was just made on a server that sends no mail: its code was shown. */
export async function coded(made: Promise<NewShare>): Promise<CodedShare> {
  const { code, ...share } = await made;
  if (code === undefined) throw new Error("This share has no code to hand over.");
  return { ...share, code };
}
