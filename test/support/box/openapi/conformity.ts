import type { ErrorObject, ValidateFunction } from "ajv";
import type { Violation } from "../box.ts";
import type { Answer } from "../http/answer.ts";
import type { Call } from "../http/call.ts";
import { formParts } from "../http/multipart.ts";
import { beyond, deviations } from "./deviations.ts";
import { OpenApiDocument, type Operation, type Parameter } from "./document.ts";

/** Holds each exchange against Box's document. */
export class Conformity {
  readonly violations: Violation[] = [];
  private document: OpenApiDocument | undefined;

  /** Collects what does not fit; an answer that a fault made is not looked at. */
  inspect(call: Call, answer: Answer): void {
    const path = documentPath(call);
    if (path === undefined) return;
    this.document ??= new OpenApiDocument();
    const operations = this.document.operations(call.method, path);
    if (operations.length === 0) {
      if (!beyond.some((one) => one.method === call.method && one.path.test(path))) {
        const operation = `${call.method} ${path}`;
        const what = "is no operation of the document";
        this.violations.push({ side: "request", agent: call.log.agent, operation, what });
      }
      return;
    }
    const least = (side: Violation["side"], check: (one: Operation) => string[]) => {
      const found = operations.map((one) => known(one, side, check(one)));
      if (found.some((whats) => whats.length === 0)) return;
      const operation = operations[0]?.id ?? "";
      for (const what of found[0] ?? []) {
        this.violations.push({ side, agent: call.log.agent, operation, what });
      }
    };
    least("request", (operation) => requestFaults(operation, call));
    if (answer.faulty !== true) least("response", (operation) => answerFaults(operation, answer));
  }
}

/** Paths of the document begin after the version; the token endpoint's has none. */
function documentPath(call: Call): string | undefined {
  const { pathname } = call.url;
  switch (call.host) {
    case "api":
      return pathname.replace(/^\/2\.0/, "");
    case "upload":
    case "session":
      return pathname.replace(/^\/api\/2\.0/, "");
    case "account":
      return pathname.startsWith("/api/oauth2") ? pathname.slice("/api/oauth2".length) : undefined;
    case "download":
      return undefined;
  }
}

function known({ id }: Operation, side: Violation["side"], whats: string[]): string[] {
  return whats.filter(
    (what) =>
      !deviations.some((one) => one.side === side && one.operation.test(id) && one.what.test(what)),
  );
}

function requestFaults(operation: Operation, call: Call): string[] {
  const named = new Set(
    operation.parameters.filter((one) => one.in === "query").map(({ name }) => name),
  );
  const unknown = [...call.query.keys()].filter((name) => !named.has(name));
  return [
    ...unknown.map((name) => `query has "${name}", which is not known`),
    ...operation.parameters.flatMap((one) => parameterFaults(one, call)),
    ...bodyFaults(operation, call),
  ];
}

function parameterFaults(parameter: Parameter, call: Call): string[] {
  const { name } = parameter;
  if (parameter.in === "path") return [];
  const sent = parameter.in === "query" ? call.query.get(name) : call.header(name.toLowerCase());
  if (sent === null || sent === undefined) {
    return parameter.required ? [`${parameter.in} lacks "${name}"`] : [];
  }
  return faultsOf(parameter.fits, typed(parameter, sent), `${parameter.in} ${name}`);
}

function typed(parameter: Parameter, sent: string): unknown {
  if (parameter.list) return sent.split(",");
  if (parameter.number) return /^-?\d+$/.test(sent) ? Number(sent) : sent;
  return sent === "true" || sent === "false" ? booleanOr(parameter, sent) : sent;
}

function booleanOr({ fits }: Parameter, sent: string): unknown {
  return fits(sent) ? sent : sent === "true";
}

function bodyFaults(operation: Operation, call: Call): string[] {
  const type = (call.header("content-type") ?? "").replace(/;.*/, "").trim().toLowerCase();
  const bytes = Buffer.concat(type === "application/octet-stream" ? [] : call.received);
  if (bytes.length === 0 && type !== "application/octet-stream") {
    return operation.bodyRequired ? ["the body is missing"] : [];
  }
  const fits = operation.bodies.get(type);
  if (fits === undefined) return [`a body of ${type === "" ? "no type" : type} is not known`];
  switch (type) {
    case "application/x-www-form-urlencoded":
      return faultsOf(fits, Object.fromEntries(new URLSearchParams(bytes.toString())), "body");
    case "multipart/form-data":
      return formFaults(fits, call, bytes);
    case "application/octet-stream":
      return [];
    default:
      return jsonFaults(fits, bytes.toString());
  }
}

function jsonFaults(fits: ValidateFunction, text: string): string[] {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return ["the body is not JSON"];
  }
  return faultsOf(fits, value, "body");
}

/** The attributes as the document has them; the content is bytes, whatever its part is called. */
function formFaults(fits: ValidateFunction, call: Call, bytes: Buffer): string[] {
  const parts = formParts(call.header("content-type"), bytes);
  const attributes = parts.find(({ name }) => name === "attributes");
  let value: unknown;
  try {
    value = JSON.parse(attributes?.bytes.toString() ?? "");
  } catch {
    return ["the attributes are not JSON"];
  }
  return faultsOf(fits, { attributes: value, file: "" }, "body");
}

function answerFaults(operation: Operation, answer: Answer): string[] {
  const { status, json } = answer;
  const key = operation.answers.has(String(status)) ? String(status) : "default";
  if (!operation.answers.has(key)) return [`${status} is not known`];
  const fits = operation.answers.get(key);
  if (json === undefined) return fits === undefined ? [] : [`${status} has no body`];
  if (fits === undefined) return [`${status} has a body`];
  // As it goes over the wire, without what is undefined.
  return faultsOf(fits, JSON.parse(JSON.stringify(json)), `${status}`);
}

function faultsOf(fits: ValidateFunction, value: unknown, where: string): string[] {
  if (fits(value)) return [];
  return (fits.errors ?? []).map((error) => `${where}${error.instancePath} ${message(error)}`);
}

function message({ keyword, message: text = "", params }: ErrorObject): string {
  if (keyword === "unevaluatedProperties") {
    return `has "${String(params["unevaluatedProperty"])}", which is not known`;
  }
  return text;
}
