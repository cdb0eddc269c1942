import { ExhibitError } from "../../../evidence/errors.ts";
import type { LinkReach } from "../../../evidence/share.ts";
import { inUtc, type BoxLink, type WantedLink } from "./link.ts";

const widths: readonly LinkReach[] = ["collaborators", "company", "open"];
const reachWords: Readonly<Record<LinkReach, string>> = {
  open: "whoever has it",
  company: "everybody of the organisation",
  collaborators: "who was invited by name",
};

/** What Box made of a link, where that can be lived with. */
export interface LinkVerdict {
  /** When it really ends. */
  readonly expiresAt: string;
  readonly warnings: readonly string[];
}

/**
 * Compares a link as Box keeps it with what was asked for: an administrator's rules may have changed it. `reaches` says whether the
 * recipient could open a link of this kind.
 *
 * @throws ExhibitError `policy.not-permitted` when it is wider than asked for, or does not reach the recipient any more
 */
export function checkLink(
  link: BoxLink,
  { access, expiresAt }: WantedLink,
  hasPassword: boolean,
  reaches: (access: LinkReach) => boolean,
): LinkVerdict {
  const got = link.effective_access;
  const widened = [
    ...(widths.indexOf(got) > widths.indexOf(access)
      ? [`it opens for ${reachWords[got]}, not only for ${reachWords[access]}`]
      : []),
    ...(access !== "collaborators" &&
    ["can_edit", "can_download"].includes(link.effective_permission)
      ? ["the files can be downloaded"]
      : []),
    ...(hasPassword && !link.is_password_enabled ? ["it asks for no code"] : []),
    ...endWider(link, expiresAt),
  ];
  if (widened.length > 0) {
    throw new ExhibitError(
      "policy.not-permitted",
      `Box made the link wider than was asked for: ${widened.join("; ")}.`,
      { hint: `It was removed. ${seeDoctor}` },
    );
  }
  if (!reaches(got) || link.effective_permission === "no_access") {
    throw new ExhibitError(
      "policy.not-permitted",
      `The enterprise's rules narrowed the link so far that the recipient cannot open it: it opens for ${reachWords[got]}.`,
      { hint: `It was removed. ${seeDoctor} --link chooses another kind.` },
    );
  }
  const ends =
    link.unshared_at === null || link.unshared_at === undefined
      ? expiresAt
      : inUtc(link.unshared_at);
  return {
    expiresAt: ends,
    warnings: [
      ...(got === access
        ? []
        : [`The enterprise's rules narrowed the link: it opens for ${reachWords[got]} only.`]),
      ...(Date.parse(ends) < Date.parse(expiresAt) - 1000
        ? [`The enterprise's rules end the link sooner than was asked for: ${ends}.`]
        : []),
    ],
  };
}

const seeDoctor = "exhibit doctor says what the enterprise allows.";

function endWider({ unshared_at }: BoxLink, expiresAt: string): string[] {
  if (unshared_at === null || unshared_at === undefined) return ["it never ends"];
  const late = Date.parse(unshared_at) > Date.parse(expiresAt) + 1000;
  return late || Number.isNaN(Date.parse(unshared_at)) ? [`it ends only ${unshared_at}`] : [];
}
