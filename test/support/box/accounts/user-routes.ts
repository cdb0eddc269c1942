import type { Answer } from "../http/answer.ts";
import type { Call } from "../http/call.ts";
import { boxDate } from "../items/dates.ts";
import type { World } from "../world.ts";
import type { User } from "./users.ts";
import { userMini } from "./users.ts";

/** `GET /users/me` */
export function me(world: World, call: Call): Answer {
  const { user } = call.access;
  const usual = userBody(world, user);
  const special: Record<string, unknown> = {
    role: user.role,
    enterprise: { id: user.enterpriseId, type: "enterprise", name: enterpriseName(user) },
    hostname: world.origins.account,
    is_platform_access_only: user.kind === "service",
    is_sync_enabled: true,
    can_see_managed_users: user.role !== "user",
  };
  if (call.fields === undefined) return { status: 200, json: usual };
  const json: Record<string, unknown> = { type: "user", id: user.id };
  const all = { ...usual, ...special };
  for (const field of call.fields) if (field in all) json[field] = all[field];
  return { status: 200, json };
}

function userBody(world: World, user: User): Record<string, unknown> {
  return {
    ...userMini(user),
    created_at: boxDate(user.createdAt),
    modified_at: boxDate(user.createdAt),
    language: "en",
    timezone: "Europe/London",
    space_amount: spaceOf(world, user),
    space_used: user.spaceUsed,
    max_upload_size: planOf(world, user),
    status: "active",
    job_title: "",
    phone: "",
    address: "",
    avatar_url: `${world.origins.account}/api/avatar/large/${user.id}`,
    notification_email: null,
  };
}

export function spaceOf(world: World, user: User): number {
  return user.spaceBytes ?? world.settings.spaceBytes;
}

/** Largest file that the user's plan takes, in bytes. */
export function planOf(world: World, user: User): number {
  return user.planFileBytes ?? world.settings.planFileBytes;
}

function enterpriseName(user: User): string {
  return user.kind === "external" ? "Council" : "Force";
}
