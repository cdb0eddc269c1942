import { parseAddress } from "../evidence/address.ts";
import { exhibitPrefix } from "../evidence/key.ts";

/** Whether what a person typed, an upload's id or an exhibit (`CASE:ABC/1`), means this upload. @throws `usage.invalid` */
export function namesUpload(
  target: string,
): (upload: { readonly id: string | undefined; readonly key: string }) => boolean {
  const prefix = prefixOf(target);
  return ({ id, key }) => id === target || (prefix !== undefined && key.startsWith(prefix));
}

function prefixOf(target: string): string | undefined {
  if (!target.includes(":") || !target.includes("/")) return undefined;
  const address = parseAddress(target);
  if (address.kind === "id" || address.case === undefined) return undefined;
  return `${exhibitPrefix(address.case, address.reference)}/`;
}
