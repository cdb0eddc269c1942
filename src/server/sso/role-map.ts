import { z } from "zod";
import { ExhibitError } from "../../evidence/errors.ts";
import { organisationSchema, roleSchema, type Role } from "../../evidence/identity.ts";

export const roleMapType = "exhibit.role-map/1";

const ruleSchema = z.strictObject({
  /** `groups` and `roles` are Entra ID's; others may have other names. */
  claim: z.string().min(1).default("groups"),
  /** One of the claim's values, letter by letter: a group's object id, or an app role's value. */
  value: z.string().min(1, "must not be empty"),
  role: roleSchema,
  /** Left out, the server's own. */
  organisation: organisationSchema.optional(),
});

const roleMapSchema = z.strictObject({
  schema: z.literal(roleMapType),
  rules: z.array(ruleSchema).min(1, "must hold a rule"),
});

/** Who of the provider's people is what here; the first rule that fits counts. See docs/formats/role-map.md. */
export type RoleMap = z.infer<typeof roleMapSchema>;

/** Reads a role map. @throws ExhibitError `usage.invalid`, naming `file` and what is wrong in it */
export function parseRoleMap(text: string, file: string): RoleMap {
  const parsed = roleMapSchema.safeParse(parseJson(text));
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const where = issue?.path.join(".") ?? "";
  throw new ExhibitError(
    "usage.invalid",
    `The role map ${file} is not right: ${where === "" ? "it" : `"${where}"`} ${issue?.message ?? "is not valid"}.`,
    {
      hint: `It must be like {"schema":"${roleMapType}","rules":[{"claim":"groups","value":"GROUP_ID","role":"officer"}]}.`,
    },
  );
}

/** What a token makes of somebody; undefined where no rule fits. */
export function mapped(
  { rules }: RoleMap,
  claims: Readonly<Record<string, unknown>>,
): { readonly role: Role; readonly organisation: string | undefined } | undefined {
  return rules
    .map(({ claim, value, role, organisation }) => ({
      fits: valuesOf(claims[claim]).includes(value),
      role,
      organisation,
    }))
    .find(({ fits }) => fits);
}

function valuesOf(claim: unknown): readonly unknown[] {
  return Array.isArray(claim) ? claim : [claim];
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
