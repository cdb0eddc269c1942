// Whoever imports node:tls gets it with one authority more.
const withAuthority = new URL("./tls.js", import.meta.url).href;

/** @type {import("node:module").ResolveHook} */
export function resolve(specifier, context, next) {
  const isOther = specifier !== "node:tls" || context.parentURL === withAuthority;
  return isOther ? next(specifier, context) : { url: withAuthority, shortCircuit: true };
}
