import { randomUUID } from "node:crypto";
import { checkAdministrator } from "../accounts/access.ts";
import { fileFor, folderFor, type Right } from "../accounts/rights.ts";
import { badRequest, Refusal, type Answer } from "../http/answer.ts";
import type { Call } from "../http/call.ts";
import { isJson, textIn, type Json } from "../http/json.ts";
import type { Item, MetadataInstance } from "../items/items.ts";
import type { World } from "../world.ts";
import { patched } from "./json-patch.ts";
import { instanceBody, type Template, type TemplateField } from "./metadata.ts";

const mostInstances = 100;

type Of = (world: World, call: Call, right: Right) => Item;
const ofFile: Of = (world, call, right) => fileFor(world, call, right);
const ofFolder: Of = (world, call, right) => folderFor(world, call, right);

export const fileMetadata = handlers(ofFile);
export const folderMetadata = handlers(ofFolder);

function handlers(of: Of) {
  return {
    /** `POST .../metadata/:scope/:template` */
    create: async (world: World, call: Call): Promise<Answer> => {
      const item = of(world, call, "edit");
      const { scope, template, key } = named(world, call);
      const values = await call.json();
      if (item.metadata.has(key)) {
        throw metadataError(409, "tuple_already_exists", "Tuple already exists");
      }
      if (item.metadata.size >= mostInstances) {
        throw metadataError(400, "instances_exceeded_max", "Too many instances");
      }
      checkValues(world, scope, template, values);
      const instance = { id: randomUUID(), scope, template, version: 0, values };
      item.metadata.set(key, instance);
      world.events.add("METADATA_INSTANCE_CREATE", call.access.user, item, { template });
      return { status: 201, json: instanceBody(item, instance) };
    },

    /** `GET .../metadata/:scope/:template` */
    get: (world: World, call: Call): Answer => {
      const item = of(world, call, "see");
      return { status: 200, json: instanceBody(item, instanceOf(world, call, item)) };
    },

    /** `GET .../metadata` */
    list: (world: World, call: Call): Answer => {
      const item = of(world, call, "see");
      const entries = [...item.metadata.values()].map((one) => instanceBody(item, one));
      return { status: 200, json: { entries, limit: mostInstances } };
    },

    /** `PUT .../metadata/:scope/:template`, with a JSON patch: all of it or nothing. */
    update: async (world: World, call: Call): Promise<Answer> => {
      const item = of(world, call, "edit");
      const instance = instanceOf(world, call, item);
      if (call.header("content-type")?.startsWith("application/json-patch+json") !== true) {
        throw new Refusal(415, "unsupported_media_type", "application/json-patch+json is expected");
      }
      const values = patched(instance.values, parsedList(await call.text()));
      checkValues(world, instance.scope, instance.template, values);
      instance.values = values;
      instance.version += 1;
      const { template } = instance;
      world.events.add("METADATA_INSTANCE_UPDATE", call.access.user, item, { template });
      return { status: 200, json: instanceBody(item, instance) };
    },

    /** `DELETE .../metadata/:scope/:template` */
    remove: (world: World, call: Call): Answer => {
      const item = of(world, call, "edit");
      const { template } = instanceOf(world, call, item);
      item.metadata.delete(named(world, call).key);
      world.events.add("METADATA_INSTANCE_DELETE", call.access.user, item, { template });
      return { status: 204 };
    },
  };
}

/** `POST /metadata_templates/schema` */
export async function createTemplate(world: World, call: Call): Promise<Answer> {
  checkAdministrator(world, call.access);
  const body = await call.json();
  const name = textIn(body, "displayName");
  const key = textIn(body, "templateKey") ?? name?.replaceAll(/\W/g, "");
  if (name === undefined || key === undefined || body["scope"] !== "enterprise") {
    throw badRequest("scope and displayName are required");
  }
  if (world.metadata.templates.has(key)) {
    throw new Refusal(409, "tuple_already_exists", "Template already exists");
  }
  const fields = (Array.isArray(body["fields"]) ? body["fields"] : []) as TemplateField[];
  const template: Template = { id: randomUUID(), key, name, fields };
  world.metadata.templates.set(key, template);
  return { status: 201, json: templateBody(world, template) };
}

/** `GET /metadata_templates/:scope/:template/schema` */
export function getTemplate(world: World, call: Call): Answer {
  const template = world.metadata.templates.get(call.param("template"));
  if (template === undefined || !call.param("scope").startsWith("enterprise")) {
    throw new Refusal(404, "instance_tuple_not_found", "Template not found");
  }
  return { status: 200, json: templateBody(world, template) };
}

function templateBody(world: World, { id, key, name, fields }: Template): Json {
  const scope = `enterprise_${world.app.enterpriseId}`;
  const common = { id, type: "metadata_template", scope, templateKey: key, displayName: name };
  return { ...common, hidden: false, copyInstanceOnItemCopy: false, fields };
}

function named(world: World, call: Call): { scope: string; template: string; key: string } {
  const given = call.param("scope");
  const template = call.param("template");
  const own = `enterprise_${world.app.enterpriseId}`;
  const scope = given === "enterprise" ? own : given;
  const known =
    scope === own
      ? world.metadata.templates.has(template)
      : `${scope}/${template}` === "global/properties";
  if (!known) throw metadataError(404, "instance_tuple_not_found", "Template not found");
  return { scope, template, key: `${scope}/${template}` };
}

function instanceOf(world: World, call: Call, item: Item): MetadataInstance {
  const instance = item.metadata.get(named(world, call).key);
  if (instance === undefined) {
    throw metadataError(404, "instance_not_found", "Instance not found");
  }
  return instance;
}

/** A template's fields by their types; `global/properties` takes any text. */
function checkValues(world: World, scope: string, key: string, values: Json): void {
  const template = scope === "global" ? undefined : world.metadata.templates.get(key);
  for (const [name, value] of Object.entries(values)) {
    const field = template?.fields.find((one) => one.key === name);
    const type = template === undefined ? "string" : field?.type;
    if (!fits(type, value, field)) {
      throw metadataError(400, "schema_validation_failed", `"${name}" does not fit the template`);
    }
  }
}

function fits(type: string | undefined, value: unknown, field: TemplateField | undefined): boolean {
  switch (type) {
    case "string":
      return typeof value === "string";
    case "float":
      return typeof value === "number";
    case "date":
      return typeof value === "string" && !Number.isNaN(Date.parse(value));
    case "enum":
      return field?.options?.some(({ key }) => key === value) === true;
    case "multiSelect":
      return Array.isArray(value);
    default:
      return false;
  }
}

function parsedList(text: string): readonly Json[] {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    value = undefined;
  }
  if (Array.isArray(value) && value.every(isJson)) return value;
  throw metadataError(400, "bad_request", "The body is no JSON patch");
}

function metadataError(status: number, code: string, message: string): Refusal {
  return new Refusal(status, code, message, { form: "metadata" });
}
