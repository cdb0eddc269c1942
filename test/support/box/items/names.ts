import { Refusal } from "../http/answer.ts";
import type { Folder, Item } from "./items.ts";
import { conflictBody } from "./bodies.ts";

const longest = 255;

/**
 * What Box's own table refuses.
 *
 * Control characters, `/ \ < > : | ? *`, a space at either end, `.`, `..`, and more than 255 characters.
 */
export function checkedName(name: string | undefined): string {
  if (name === undefined || name === "") throw invalid("'name' is required");
  if (Array.from(name).length > longest) {
    throw new Refusal(400, "item_name_too_long", "Item name too long");
  }
  // eslint-disable-next-line no-control-regex -- the point of the rule
  if (/[\u0000-\u001f\u007f/\\<>:|?*]/.test(name) || name !== name.trim()) {
    throw invalid("Item name invalid");
  }
  if (name === "." || name === "..") throw invalid("Item name invalid");
  return name;
}

function invalid(message: string): Refusal {
  return new Refusal(400, "item_name_invalid", message);
}

/** What takes up a name in a folder. */
export function namesake(folder: Folder, name: string): Item | undefined {
  return folder.children.get(name.toLowerCase());
}

/**
 * Refuses a name that is taken, or about to be taken by somebody other than `by`.
 *
 * The conflict is one object for a new file, and a list for a new folder: so Box answers, whatever its document says.
 */
export function checkNameFree(
  folder: Folder,
  name: string,
  made: "file" | "folder",
  by?: object,
): void {
  const taken = namesake(folder, name);
  if (taken !== undefined) {
    const conflict = conflictBody(taken);
    throw new Refusal(409, "item_name_in_use", "Item with the same name already exists", {
      context: { conflicts: made === "file" ? conflict : [conflict] },
    });
  }
  const holder = folder.reserved.get(name.toLowerCase());
  if (holder !== undefined && holder !== by) {
    throw new Refusal(
      409,
      "name_temporarily_reserved",
      "The item name is reserved by another item that is being processed",
    );
  }
}
