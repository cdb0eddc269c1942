import { checkAdministrator } from "../accounts/access.ts";
import { badRequest, type Answer } from "../http/answer.ts";
import type { Call } from "../http/call.ts";
import type { World } from "../world.ts";

// What an administrator reads of where content lies, and whom it may be shared with.

/** `GET /storage_policies` */
export function storagePolicies(world: World, call: Call): Answer {
  checkAdministrator(world, call.access);
  const entries = [{ type: "storage_policy", id: "42", name: world.settings.storagePolicy }];
  return { status: 200, json: { limit: 1000, next_marker: null, entries } };
}

/** `GET /storage_policy_assignments`: one policy for all. */
export function storagePolicyAssignments(world: World, call: Call): Answer {
  checkAdministrator(world, call.access);
  const type = call.query.get("resolved_for_type");
  const id = call.query.get("resolved_for_id");
  if (type === null || id === null) throw badRequest("resolved_for_type and _id are required");
  const assignment = {
    type: "storage_policy_assignment",
    id: `${type}_${id}`,
    storage_policy: { type: "storage_policy", id: "42" },
    assigned_to: { type, id },
  };
  return { status: 200, json: { limit: 1, next_marker: null, entries: [assignment] } };
}

/** `GET /collaboration_whitelist_entries` */
export function allowedDomains(world: World, call: Call): Answer {
  checkAdministrator(world, call.access);
  const entries = world.settings.allowedDomains.map((domain, at) => ({
    type: "collaboration_whitelist_entry",
    id: String(at + 1),
    domain,
    direction: "both",
    enterprise: { type: "enterprise", id: world.app.enterpriseId, name: "Force" },
  }));
  return { status: 200, json: { limit: 1000, next_marker: null, entries } };
}
