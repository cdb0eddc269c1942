import { badRequest } from "./answer.ts";

export type Json = Record<string, unknown>;

export function isJson(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The object under `name`, or an empty one. */
export function objectIn(body: Json, name: string): Json {
  const value = body[name];
  return isJson(value) ? value : {};
}

export function textIn(body: Json, name: string): string | undefined {
  const value = body[name];
  return typeof value === "string" ? value : undefined;
}

/** An id, which some clients send as a number. */
export function idIn(body: Json, name: string): string | undefined {
  const value = body[name];
  return typeof value === "number" ? String(value) : textIn(body, name);
}

export function flagIn(body: Json, name: string): boolean | undefined {
  const value = body[name];
  return typeof value === "boolean" ? value : undefined;
}

export function parsedJson(text: string): Json {
  if (text === "") return {};
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw badRequest("Could not parse JSON");
  }
  if (!isJson(value))
    throw badRequest("Entity body should be a correctly nested resource attribute");
  return value;
}
