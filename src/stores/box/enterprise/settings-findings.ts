import type { DoctorFinding } from "../../../evidence/ports/doctor.ts";
import { longestShareDays } from "../../../evidence/share.ts";
import type { Configuration } from "./configuration.ts";

const place = "Admin Console, Enterprise Settings, Content & Sharing";

const defaultWords: Readonly<Record<string, string>> = {
  open: "everybody who has it",
  company: "everybody of the enterprise",
  collaborators: "those who were invited",
};

/** What was found of one setting: true works, false does not; undefined where Box does not tell. */
interface Setting {
  readonly id: string;
  readonly works: boolean | undefined;
  readonly good: string;
  readonly bad: string;
  readonly remedy: string;
}

/** What an enterprise's settings let people do. */
export function settingsFindings(settings: Configuration | undefined): DoctorFinding[] {
  return settingsOf(settings).map(({ id, works, good, bad, remedy }) => {
    if (works === undefined) {
      const words = `Box does not tell this account: ${good.charAt(0).toLowerCase()}${good.slice(1)}`;
      return {
        id,
        verdict: "unknown",
        words,
        remedy:
          settings === undefined
            ? "Run it as an administrator, with an application that may manage enterprise properties."
            : `Look it up: ${place}.`,
      };
    }
    return works
      ? { id, verdict: "ok", words: good }
      : { id, verdict: "will-not-work", words: bad, remedy };
  });
}

function settingsOf(given: Configuration | undefined): Setting[] {
  const restrictions = given?.restrictions;
  const restricted = restrictions === undefined ? [] : restrictions.filter((one) => one !== "");
  return [
    {
      id: "watermark",
      works: given?.watermarks,
      good: "Watermarks are switched on.",
      bad: "Watermarks are switched off or not in the plan: no share for viewing will work.",
      remedy: `Switch watermarking on: ${place}; it needs a plan that has it.`,
    },
    {
      id: "links-open",
      works: given?.linkAccess === undefined ? undefined : given.linkAccess === "open",
      good: "Links may open for people without an account.",
      bad: "Links that open for people without an account are forbidden: shares with the CPS, councils or the defence will not work, but for those with an invitation.",
      remedy: `Allow shared links for "People with the link": ${place}, Sharing.`,
    },
    {
      id: "links-default",
      works: given?.linkDefault === undefined ? undefined : true,
      good: `A link that somebody makes in Box by hand opens for ${defaultWords[given?.linkDefault ?? ""] ?? "whom the enterprise has chosen"}, where they do not say otherwise. exhibit always says for whom.`,
      bad: "",
      remedy: "",
    },
    daysSetting("links-expire", given?.linkDays, "links"),
    daysSetting(
      "open-links-expire",
      given?.openLinkDays,
      "links that open for people without an account",
    ),
    {
      id: "external-collaboration",
      works:
        given?.externalCollaboration === undefined
          ? undefined
          : /^enable/i.test(given.externalCollaboration) && restricted.length === 0,
      good: "People of other organisations may be invited.",
      bad:
        restricted.length === 0 || !/^enable/i.test(given?.externalCollaboration ?? "")
          ? "People of other organisations may not be invited, or only those of some domains: originals for them will not work."
          : `Inviting is restricted (${restricted.join(", ")}): originals for people outside of that will not work.`,
      remedy: `Allow external collaboration, or add the recipients' domains to the allowed ones: ${place}, Collaboration.`,
    },
    {
      id: "collaboration-expiry",
      works: given?.collaborationsExpire,
      good: "Invitations may end by themselves.",
      bad: "Invitations cannot end by themselves: sharing originals will not work, and invitations to copies last until they are revoked.",
      remedy: `Switch on "Automatically remove invited collaborators" with "Allow folder owners to extend the expiry date": ${place}.`,
    },
    {
      id: "file-requests",
      works: given?.requestsNeedLogin === undefined ? undefined : !given.requestsNeedLogin,
      good: "File requests open without an account.",
      bad: "File requests ask for a Box login: people without a licence cannot hand files in.",
      remedy: `Do not require a login for file requests: ${place}, File Request.`,
    },
    {
      id: "keysafe",
      works: given?.keySafe === undefined ? undefined : true,
      good:
        given?.keySafe === true
          ? "KeySafe is on: content is readable only while your key service answers, and Box's full-text search is usually off. Uploads, shares and checks work as ever."
          : "Content is encrypted with Box's own keys (KeySafe is off).",
      bad: "",
      remedy: "",
    },
  ];
}

function daysSetting(id: string, days: number | undefined, what: string): Setting {
  const name = `${what.charAt(0).toUpperCase()}${what.slice(1)}`;
  return {
    id,
    works: days === undefined ? undefined : days >= longestShareDays,
    good: `${name} may last as long as any share.`,
    bad: `${name} end after ${days ?? "some"} days: longer shares will end sooner than they are asked to.`,
    remedy: `Ask for --expires ${days ?? 7}d at most, or raise the limit: ${place}, Sharing, link expiration.`,
  };
}
