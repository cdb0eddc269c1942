import { familyOf, type ExhibitError } from "../evidence/errors.ts";
import type { Failure } from "./deps.ts";

/** What is said of one of several things that failed. */
export function failureOf(path: string, { code, message, hint }: ExhibitError): Failure {
  return { path, code, message, ...(hint === undefined ? {} : { hint }) };
}

/** True when what comes next would fail alike: the store is gone, or does not know us any more. */
export function stopsAll({ code }: ExhibitError): boolean {
  return (
    familyOf(code) === "auth" ||
    code === "unavailable.store" ||
    code === "unavailable.busy" ||
    code === "unavailable.rate-limited" ||
    code === "policy.role"
  );
}
