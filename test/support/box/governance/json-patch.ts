import { isDeepStrictEqual } from "node:util";
import { Refusal } from "../http/answer.ts";
import type { Json } from "../http/json.ts";

/** The values of a flat object after a JSON patch (RFC 6902), each step of which must be possible. */
export function patched(values: Json, steps: readonly Json[]): Json {
  const after: Json = { ...values };
  for (const { op, path, value, from } of steps) {
    const name = nameIn(path);
    switch (op) {
      case "add":
        after[name] = value;
        break;
      case "replace":
        checkThere(after, name);
        after[name] = value;
        break;
      case "remove":
        checkThere(after, name);
        Reflect.deleteProperty(after, name);
        break;
      case "test":
        if (!isDeepStrictEqual(after[name], value)) throw impossible(`${name} has another value`);
        break;
      case "move":
      case "copy": {
        const source = nameIn(from);
        checkThere(after, source);
        after[name] = after[source];
        if (op === "move") Reflect.deleteProperty(after, source);
        break;
      }
      default:
        throw impossible("The operation is not known");
    }
  }
  return after;
}

function nameIn(path: unknown): string {
  const [, name] = typeof path === "string" ? (/^\/([^/]+)$/.exec(path) ?? []) : [];
  if (name === undefined) throw impossible("The path is invalid");
  return name.replaceAll("~1", "/").replaceAll("~0", "~");
}

function checkThere(values: Json, name: string): void {
  if (!Object.hasOwn(values, name)) throw impossible(`There is no ${name}`);
}

function impossible(why: string): Refusal {
  return new Refusal(400, "bad_request", why, { form: "metadata" });
}
