import { checkAdministrator } from "../accounts/access.ts";
import { badRequest, notFound, type Answer } from "../http/answer.ts";
import type { Call } from "../http/call.ts";
import type { World } from "../world.ts";

type Values = Record<string, unknown>;

/** `GET /enterprise_configurations/:id` of the version 2025.0: the settings of an enterprise, by category. */
export function enterpriseConfiguration(world: World, call: Call): Answer {
  checkAdministrator(world, call.access);
  const id = call.param("id");
  if (id !== call.access.user.enterpriseId) throw notFound();
  const all = categories(world);
  const wanted = call.query.get("categories")?.split(",") ?? [];
  if (wanted.length === 0) throw badRequest("categories is required");
  const json: Values = { id, type: "enterprise_configuration" };
  for (const category of wanted) {
    const values = all[category];
    if (values === undefined) throw badRequest(`Invalid value '${category}' for categories`);
    const changed = { ...values, ...world.settings.enterprise[category] };
    json[category] = Object.fromEntries(
      Object.entries(changed).map(([name, value]) => [name, { is_used: true, value }]),
    );
  }
  return { status: 200, json };
}

function categories(world: World): Record<string, Values> {
  const { settings } = world;
  const { access } = settings.linkPolicy;
  return {
    content_and_sharing: {
      shared_link_access: access,
      shared_link_default_access: settings.linkDefaultAccess,
      is_shared_links_expiration_enabled: false,
      is_public_shared_links_expiration_enabled: false,
      public_shared_links_expiration_days: null,
      is_watermarking_enterprise_feature_enabled: settings.watermarks,
      external_collaboration_status: settings.externalCollaboration ? "enable" : "disable",
      collaboration_restrictions: [],
      is_collaboration_expiration_enabled: settings.collaborationExpiry,
      is_file_request_login_required: false,
      is_file_request_editors_allowed: true,
      is_root_content_creation_restricted: false,
    },
    security: {
      keysafe: { keysafe_enabled: false },
      session_duration: "P14D",
      is_multi_factor_auth_required: true,
    },
    user_settings: {},
    shield: {},
  };
}
