// Cuts Box's OpenAPI document down to what the simulator answers: node trim.js FULL.json > box-openapi.json
import { readFileSync } from "node:fs";
import { argv, stdout } from "node:process";

/** Path by path, with all their methods and their `#` variants. */
const paths = [
  "/authorize",
  "/oauth2/token",
  "/oauth2/revoke",
  "/users/me",
  "/folders",
  "/folders/{folder_id}",
  "/folders/{folder_id}/items",
  "/folders/{folder_id}/watermark",
  "/folders/{folder_id}/collaborations",
  "/folders/{folder_id}/metadata",
  "/folders/{folder_id}/metadata/{scope}/{template_key}",
  "/files/content",
  "/files/{file_id}",
  "/files/{file_id}/content",
  "/files/{file_id}/copy",
  "/files/{file_id}/versions",
  "/files/{file_id}/watermark",
  "/files/{file_id}/collaborations",
  "/files/{file_id}/metadata",
  "/files/{file_id}/metadata/{scope}/{template_key}",
  "/files/upload_sessions",
  "/files/{file_id}/upload_sessions",
  "/files/upload_sessions/{upload_session_id}",
  "/files/upload_sessions/{upload_session_id}/parts",
  "/files/upload_sessions/{upload_session_id}/commit",
  "/shared_items",
  "/collaborations",
  "/collaborations/{collaboration_id}",
  "/collaboration_whitelist_entries",
  "/storage_policies",
  "/storage_policy_assignments",
  "/events",
  "/metadata_templates/schema",
  "/metadata_templates/{scope}/{template_key}/schema",
  "/file_requests/{file_request_id}",
  "/file_requests/{file_request_id}/copy",
];
/** Words for people, and for tools that are not used here. */
const dropped = new Set([
  "description",
  "summary",
  "example",
  "examples",
  "tags",
  "title",
  "servers",
  "security",
  "default",
]);

/** @param {unknown} value @param {boolean} named whether the keys are names that somebody chose @returns {unknown} */
function bare(value, named = false) {
  if (Array.isArray(value)) return value.map((one) => bare(one));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(
        ([key, inner]) =>
          named || !(key.startsWith("x-") || (dropped.has(key) && !isResponse(key, inner))),
      )
      .map(([key, inner]) => [
        key,
        bare(inner, !named && (key === "properties" || key === "responses")),
      ]),
  );
}

/** `default` among responses is an answer, elsewhere a value. @param {string} key @param {unknown} value */
function isResponse(key, value) {
  return key === "default" && typeof value === "object" && value !== null && "content" in value;
}

const full = JSON.parse(readFileSync(argv[2] ?? "", "utf8"));
const kept = Object.fromEntries(
  Object.entries(full.paths)
    .filter(([path]) => paths.includes(path.replace(/#.*/, "")))
    .map(([path, operations]) => [path, bare(operations, true)]),
);
/** @type {Record<string, unknown>} */
const schemas = {};
const wanted = [...JSON.stringify(kept).matchAll(/#\/components\/schemas\/([^"]+)/g)].map(
  (found) => found[1],
);
for (let name = wanted.pop(); name !== undefined; name = wanted.pop()) {
  if (name in schemas) continue;
  schemas[name] = bare(full.components.schemas[name]);
  for (const found of JSON.stringify(schemas[name]).matchAll(/#\/components\/schemas\/([^"]+)/g)) {
    if (found[1] !== undefined) wanted.push(found[1]);
  }
}
/** One entry a line. @param {Record<string, unknown>} entries */
const lines = (entries) =>
  `{\n${Object.keys(entries)
    .sort()
    .map((name) => `${JSON.stringify(name)}: ${JSON.stringify(entries[name])}`)
    .join(",\n")}\n}`;
const { title, version, license } = full.info;
stdout.write(`{"openapi": ${JSON.stringify(full.openapi)}, "info": ${JSON.stringify({ title, version, license })},
"paths": ${lines(kept)},
"components": {"schemas": ${lines(schemas)}}}
`);
