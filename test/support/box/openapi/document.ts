import { readFileSync } from "node:fs";
import { Ajv2019, type ValidateFunction } from "ajv/dist/2019.js";
import formats from "ajv-formats";
import { isJson, objectIn, type Json } from "../http/json.ts";

/** One parameter of an operation. */
export interface Parameter {
  readonly name: string;
  readonly in: "query" | "header" | "path";
  readonly required: boolean;
  readonly list: boolean;
  readonly number: boolean;
  readonly fits: ValidateFunction;
}

/** One operation of the document, ready to be checked against. */
export interface Operation {
  readonly id: string;
  readonly parameters: readonly Parameter[];
  /** By media type. */
  readonly bodies: ReadonlyMap<string, ValidateFunction>;
  readonly bodyRequired: boolean;
  /** By status or `default`; undefined for answers without a body. */
  readonly answers: ReadonlyMap<string, ValidateFunction | undefined>;
}

interface Template {
  readonly pattern: RegExp;
  readonly fixed: number;
  readonly operations: Json;
}

/** Box's document, as JSON Schema that a validator takes. */
export class OpenApiDocument {
  private readonly ajv: Ajv2019;
  private readonly templates: Template[];
  private readonly made = new Map<string, Operation>();
  private readonly source: Json;

  constructor() {
    const file = new URL("./box-openapi.json", import.meta.url);
    this.source = JSON.parse(readFileSync(file, "utf8")) as Json;
    this.ajv = new Ajv2019({
      strict: false,
      allErrors: true,
      validateFormats: true,
      logger: false,
    });
    // Their types are those of CommonJS, where the function is under `default`.
    (formats as unknown as (ajv: Ajv2019) => void)(this.ajv);
    for (const format of ["url", "digest"]) this.ajv.addFormat(format, true);
    const schemas = objectIn(objectIn(this.source, "components"), "schemas");
    const definitions = mapped(schemas, (schema) => jsonSchema(schema));
    this.ajv.addSchema({ $id: "box", components: { schemas: definitions } });
    this.templates = Object.entries(objectIn(this.source, "paths")).map(([path, operations]) => ({
      pattern: new RegExp(`^${path.replace(/#.*/, "").replaceAll(/\{\w+\}/g, "([^/]+)")}/?$`),
      fixed: path.split("/").filter((segment) => !segment.startsWith("{")).length,
      operations: operations as Json,
    }));
  }

  /** What the document says of a path: one operation, or its variants; none where it does not know it. */
  operations(method: string, path: string): readonly Operation[] {
    const found = this.templates.filter(({ pattern }) => pattern.test(path));
    const most = Math.max(...found.map(({ fixed }) => fixed));
    return found
      .filter(({ fixed }) => fixed === most)
      .map(({ operations }) => operations[method.toLowerCase()])
      .filter(isJson)
      .map((operation) => this.operation(operation));
  }

  private operation(source: Json): Operation {
    const id = String(source["operationId"]);
    let operation = this.made.get(id);
    if (operation === undefined) {
      const body = objectIn(source, "requestBody");
      operation = {
        id,
        parameters: list(source["parameters"]).map((one) => this.parameter(one)),
        bodies: new Map(this.contents(body, true)),
        bodyRequired: body["required"] === true,
        answers: new Map(
          Object.entries(objectIn(source, "responses")).map(([status, answer]) => [
            status,
            new Map(this.contents(answer as Json, false)).get("application/json"),
          ]),
        ),
      };
      this.made.set(id, operation);
    }
    return operation;
  }

  private parameter(source: Json): Parameter {
    const schema = objectIn(source, "schema");
    return {
      name: String(source["name"]),
      in: source["in"] as Parameter["in"],
      required: source["required"] === true,
      list: schema["type"] === "array",
      number: schema["type"] === "integer" || schema["type"] === "number",
      fits: this.ajv.compile(jsonSchema(schema) as Json),
    };
  }

  /** Requests may have nothing that the document does not name; answers may. */
  private *contents(holder: Json, closed: boolean): Generator<[string, ValidateFunction]> {
    for (const [type, content] of Object.entries(objectIn(holder, "content"))) {
      const schema = jsonSchema(objectIn(content as Json, "schema")) as Json;
      const whole = closed && type === "application/json" && schema["type"] !== "array";
      yield [
        type,
        this.ajv.compile(whole ? { allOf: [schema], unevaluatedProperties: false } : schema),
      ];
    }
  }
}

/**
 * OpenAPI 3.0's `nullable` as JSON Schema has it, and numbers in 64 bits: sizes are declared with 32 at times.
 * `oneOf` is read as `anyOf`, for one of its choices is often an object of any kind.
 */
function jsonSchema(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(jsonSchema);
  if (!isJson(schema)) return schema;
  const plain: Json = {};
  for (const [key, value] of Object.entries(schema)) {
    if (key === "nullable") continue;
    if (key === "$ref") plain[key] = `box${String(value)}`;
    else if (key === "required") plain[key] = corrected(value);
    else if (key === "format" && value === "int32") plain[key] = "int64";
    else if (key === "properties" && isJson(value)) plain[key] = mapped(value, jsonSchema);
    else plain[key === "oneOf" ? "anyOf" : key] = jsonSchema(value);
  }
  const parts = list(schema["allOf"]);
  const nullable = schema["nullable"] === true || parts.some((part) => part["nullable"] === true);
  return nullable ? { anyOf: [plain, { type: "null" }] } : plain;
}

/** A shared link requires `accessed`, where the property is called `access`: a slip. */
function corrected(required: unknown): unknown {
  return Array.isArray(required)
    ? required.map((name: unknown) => (name === "accessed" ? "access" : name))
    : required;
}

function mapped(source: Json, change: (value: unknown) => unknown): Json {
  return Object.fromEntries(Object.entries(source).map(([name, value]) => [name, change(value)]));
}

function list(value: unknown): Json[] {
  return Array.isArray(value) ? value.filter(isJson) : [];
}
