import type { StoreFinding } from "../../../evidence/ports/store-probe.ts";
import { versioningIn } from "./answers.ts";
import { isFine } from "./reaction.ts";
import type { Scratch } from "./scratch.ts";

export interface VersioningFound {
  readonly versioning: "enabled" | "suspended" | "off" | "unsupported";
  readonly findings: readonly StoreFinding[];
}

/** Whether the bucket keeps what is overwritten or deleted. */
export async function versioningOf(scratch: Scratch): Promise<VersioningFound> {
  const answer = await scratch.send({ method: "GET", key: undefined, query: { versioning: "" } });
  const status = versioningIn(answer)?.toLowerCase();
  const versioning = !isFine(answer)
    ? "unsupported"
    : status === "enabled" || status === "suspended"
      ? status
      : "off";
  const outcome = versioning === "enabled" ? "works" : "absent";
  const what = "The bucket keeps old versions";
  return { versioning, findings: [{ id: "versioning", what, outcome, detail: versioning }] };
}
