import { z } from "zod";
import type { Doctor, DoctorFinding } from "../../../evidence/ports/doctor.ts";
import { formatSize } from "../../../evidence/quantities.ts";
import { bodyOf, type BoxApi } from "../api.ts";
import { Account, type BoxAccount } from "./account.ts";
import { readConfiguration } from "./configuration.ts";
import { settingsFindings } from "./settings-findings.ts";

const spaceSchema = z.object({
  space_amount: z.number().nullish(),
  space_used: z.number().nullish(),
  max_upload_size: z.number().nullish(),
});

const folderSchema = z.object({
  permissions: z.record(z.string(), z.boolean().nullish()).nullish(),
  owned_by: z.object({ id: z.string(), login: z.string().nullish() }).nullish(),
  is_externally_owned: z.boolean().nullish(),
});

const assignmentsSchema = z.object({
  entries: z.tuple([z.object({ storage_policy: z.object({ id: z.string() }) })]),
});
const policiesSchema = z.object({
  entries: z.array(z.object({ id: z.string(), name: z.string().nullish() })),
});

/** What one must be able to do in the store's folder, and what fails without. */
const rights = [
  ["can_download", "read what is there: verify, download and copies for shares will not work"],
  ["can_upload", "upload"],
  ["can_delete", "take copies of a share away: revoking a share will not work"],
  ["can_share", "share: no link will work"],
  ["can_set_share_access", "say whom a link opens for: no link will work"],
  ["can_invite_collaborator", "invite: originals and links for colleagues will not work"],
] as const;

/** What in a Box tenant will not work for this account, asked of Box by reading only. */
export function boxDoctor({
  api,
  account = new Account(api),
}: {
  readonly api: BoxApi;
  readonly account?: Account;
}): Doctor {
  return {
    async examine(signal) {
      const me = await account.get(signal);
      const settings =
        me.enterpriseId === undefined
          ? undefined
          : await readConfiguration(api, me.enterpriseId, signal);
      return [
        { id: "account", verdict: "ok", words: `Signed in as ${me.login}, the Box user ${me.id}.` },
        ...(await spaceFindings(api, signal)),
        ...(await folderFindings(api, me, signal)),
        ...settingsFindings(settings),
        ...(await eventsFindings(api, signal)),
        await zoneFinding(api, me, signal),
      ];
    },
  };
}

async function spaceFindings(api: BoxApi, signal: AbortSignal): Promise<DoctorFinding[]> {
  const query = { fields: "space_amount,space_used,max_upload_size" };
  const space = await api.get(spaceSchema, { method: "GET", to: "/2.0/users/me", query }, signal);
  const { space_amount, space_used, max_upload_size } = space;
  const free = (space_amount ?? Number.NaN) - (space_used ?? Number.NaN);
  return [
    Number.isNaN(free)
      ? unknown("space", "How much room the account has left.")
      : free > 0
        ? {
            id: "space",
            verdict: "ok",
            words: `The account has ${shown(free)} left. Of a folder that is another's, its owner's room counts.`,
          }
        : {
            id: "space",
            verdict: "will-not-work",
            words: "The account has no room left: uploads and copies for shares will not work.",
            remedy: "Give the owner of the folder more room.",
          },
    max_upload_size === null || max_upload_size === undefined
      ? unknown("largest-file", "How large a file may be.")
      : {
          id: "largest-file",
          verdict: "ok",
          words: `Files of up to ${shown(max_upload_size)} can be uploaded; larger ones the plan refuses.`,
        },
  ];
}

async function folderFindings(
  api: BoxApi,
  me: BoxAccount,
  signal: AbortSignal,
): Promise<DoctorFinding[]> {
  const { folderId } = api.address;
  const answer = await api.ask(
    {
      method: "GET",
      to: `/2.0/folders/${folderId}`,
      query: { fields: "permissions,owned_by,is_externally_owned" },
    },
    signal,
  );
  if (answer.status === 404 || answer.status === 403) {
    return [
      {
        id: "folder",
        verdict: "will-not-work",
        words: `Box shows this account no folder ${folderId}: nothing will work.`,
        remedy:
          "Check the id in the store's address, and invite this account to the folder as Editor.",
      },
    ];
  }
  const { permissions, owned_by, is_externally_owned } = bodyOf(folderSchema, answer);
  const owner = owned_by?.id === me.id ? "this account" : (owned_by?.login ?? "somebody else");
  const findings: DoctorFinding[] = [
    {
      id: "folder",
      verdict: "ok",
      words: `The folder ${folderId} is there; it belongs to ${owner}.`,
    },
  ];
  if (folderId === "0") {
    findings.push({
      id: "folder-root",
      verdict: "ok",
      words:
        "It is the account's own root, to which nobody can be invited; others get at single exhibits only.",
    });
  }
  if (is_externally_owned === true) {
    findings.push({
      id: "folder-owner",
      verdict: "will-not-work",
      words:
        "The folder belongs to another organisation: its rules count, not yours, and it can take the evidence away.",
      remedy: "Use a folder that your own organisation owns.",
    });
  }
  for (const [right, what] of rights) {
    const id = `folder-${right.replace(/^can_/, "").replaceAll("_", "-")}`;
    const has = permissions?.[right];
    if (has === false) {
      findings.push({
        id,
        verdict: "will-not-work",
        words: `In the folder this account cannot ${what}.`,
        remedy: "Give the account the role Editor in the folder.",
      });
    } else {
      const can = `In the folder this account can ${what.replace(/:.*/, "")}.`;
      findings.push(has === true ? { id, verdict: "ok", words: can } : unknown(id, can));
    }
  }
  return findings;
}

async function eventsFindings(api: BoxApi, signal: AbortSignal): Promise<DoctorFinding[]> {
  const findings: DoctorFinding[] = [];
  for (const stream of ["admin_logs", "admin_logs_streaming"] as const) {
    const query = { stream_type: stream, stream_position: "now", limit: 1 };
    const answer = await api.ask({ method: "GET", to: "/2.0/events", query }, signal);
    const id = stream === "admin_logs" ? "events" : "events-streaming";
    findings.push(
      answer.status < 300
        ? {
            id,
            verdict: "ok",
            words: `This account may read Box's ${stream}: exhibit share log says who opened what.`,
          }
        : answer.status === 403 || answer.status === 404
          ? {
              id,
              verdict: "will-not-work",
              words: `This account may not read Box's ${stream}: exhibit share log cannot say who opened a link.`,
              remedy:
                "Read the log as an administrator who may run new reports, with an application that has the scope Manage enterprise properties.",
            }
          : unknown(id, `Whether this account may read Box's ${stream}.`),
    );
  }
  return findings;
}

async function zoneFinding(
  api: BoxApi,
  me: BoxAccount,
  signal: AbortSignal,
): Promise<DoctorFinding> {
  const query = { resolved_for_type: "user", resolved_for_id: me.id };
  const answer = await api.ask(
    { method: "GET", to: "/2.0/storage_policy_assignments", query },
    signal,
  );
  const id = assignmentsSchema.safeParse(answer.body).data?.entries[0].storage_policy.id;
  if (answer.status >= 300 || id === undefined) {
    return unknown("zone", "In which zone the account's content is kept.");
  }
  const policies = await api.ask({ method: "GET", to: "/2.0/storage_policies" }, signal);
  const named = policiesSchema.safeParse(policies.body).data?.entries ?? [];
  const name = named.find((one) => one.id === id)?.name ?? id;
  return {
    id: "zone",
    verdict: "ok",
    words: `The account's content is kept by the storage policy ${name}.`,
  };
}

function unknown(id: string, what: string): DoctorFinding {
  return {
    id,
    verdict: "unknown",
    words: `Box does not tell this account: ${what.charAt(0).toLowerCase()}${what.slice(1)}`,
  };
}

/** Box writes sizes as large as 1.0e+18 for no limit. */
function shown(bytes: number): string {
  return bytes >= 1e17 ? "any number of bytes" : formatSize(bytes);
}
