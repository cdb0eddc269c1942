import { XMLParser } from "fast-xml-parser";
import { z } from "zod";

// Nothing is made a number, because keys and digests may look like one; and lists are lists, also of one element.
const lists = new Set([
  "Contents",
  "CommonPrefixes",
  "Part",
  "Upload",
  "Version",
  "DeleteMarker",
  "Rule",
]);
const parser = new XMLParser({
  parseTagValue: false,
  ignoreAttributes: true,
  ignoreDeclaration: true,
  trimValues: false,
  isArray: (name) => lists.has(name),
});

/** What stands in the outermost element of an answer, checked; undefined when it is something else. */
export function readXml<Schema extends z.ZodType>(
  body: Buffer,
  root: string,
  schema: Schema,
): z.infer<Schema> | undefined {
  try {
    const document = parser.parse(body.toString("utf8")) as Readonly<Record<string, unknown>>;
    return schema.safeParse(document[root]).data;
  } catch {
    return undefined;
  }
}
