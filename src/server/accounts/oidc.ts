/**
 * oidc-provider, without the line that it prints on every terminal it is loaded on: that Node 20 is not supported. Our
 * tests run the parts that we use on Node 20.
 */
const { console } = globalThis;
const warn = console.warn.bind(console);
console.warn = (...words: unknown[]) => {
  if (!String(words[0]).includes("Unsupported runtime")) warn(...words);
};
const library = await import("oidc-provider").finally(() => {
  console.warn = warn;
});

export const { errors, ExternalSigningKey, Provider } = library;
export type { Adapter, AdapterPayload, KoaContextWithOIDC } from "oidc-provider";
