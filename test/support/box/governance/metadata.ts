import type { Item } from "../items/items.ts";

/** Templates of the enterprise, and what they are filled with. */
export class Metadata {
  /** By scope and key; `global/properties` takes anything. */
  readonly templates = new Map<string, Record<string, unknown>>();

  /** What `fields=metadata` gives. */
  inlined(item: Item): Record<string, unknown> {
    const all: Record<string, Record<string, unknown>> = {};
    for (const instance of item.metadata.values()) {
      (all[instance.scope] ??= {})[instance.template] = instance.values;
    }
    return all;
  }
}
