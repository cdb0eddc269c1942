import type { Item, MetadataInstance } from "../items/items.ts";

export interface TemplateField {
  readonly type: string;
  readonly key: string;
  readonly displayName: string;
  readonly options?: readonly { readonly key: string }[];
}

export interface Template {
  readonly id: string;
  readonly key: string;
  readonly name: string;
  readonly fields: readonly TemplateField[];
}

/** Templates of the enterprise, by key. */
export class Metadata {
  readonly templates = new Map<string, Template>();

  /** What `fields=metadata` gives. */
  inlined(item: Item): Record<string, unknown> {
    const all: Record<string, Record<string, unknown>> = {};
    for (const instance of item.metadata.values()) {
      (all[instance.scope] ??= {})[instance.template] = instanceBody(item, instance);
    }
    return all;
  }
}

export function instanceBody(item: Item, instance: MetadataInstance): Record<string, unknown> {
  const { id, scope, template, version, values } = instance;
  return {
    ...values,
    $id: id,
    $type: `${template}-${id}`,
    $parent: `${item.kind}_${item.id}`,
    $scope: scope,
    $template: template,
    $version: version,
    $typeVersion: 0,
    $canEdit: true,
  };
}
