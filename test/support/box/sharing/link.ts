import { randomBytes } from "node:crypto";
import type { User } from "../accounts/users.ts";
import { forbidden, notFound } from "../http/answer.ts";
import { boxDate } from "../items/dates.ts";
import { isMarked, type Item } from "../items/items.ts";
import type { World } from "../world.ts";

export type LinkAccess = "open" | "company" | "collaborators";
const widths: readonly LinkAccess[] = ["collaborators", "company", "open"];

/** The one link that an item can have. */
export interface SharedLink {
  readonly item: Item;
  readonly by: User;
  /** What its address ends in: a new one for each link. */
  readonly code: string;
  access: LinkAccess;
  password: string | undefined;
  vanityName: string | undefined;
  unsharedAt: Date | undefined;
  canDownload: boolean;
  canEdit: boolean;
  downloads: number;
  previews: number;
}

/** Shared links by their addresses, and what they allow. */
export class Links {
  private readonly byCode = new Map<string, SharedLink>();

  private readonly world: World;

  constructor(world: World) {
    this.world = world;
  }

  make(item: Item, by: User): SharedLink {
    const link: SharedLink = {
      item,
      by,
      code: randomBytes(16).toString("hex"),
      access: this.world.settings.linkDefaultAccess,
      password: undefined,
      vanityName: undefined,
      unsharedAt: undefined,
      canDownload: true,
      canEdit: false,
      downloads: 0,
      previews: 0,
    };
    item.link = link;
    this.byCode.set(link.code, link);
    return link;
  }

  remove(link: SharedLink): void {
    this.byCode.delete(link.code);
    if (link.item.link === link) link.item.link = undefined;
  }

  /** The live link with an address, whatever its item's access. Ends what has run out. */
  live(code: string): SharedLink | undefined {
    for (const link of this.byCode.values()) {
      if (link.code !== code && link.vanityName !== code) continue;
      if (link.item.link !== link) break;
      if (this.expire(link)) break;
      return link;
    }
    return undefined;
  }

  /** Takes the link off its item where its time is over. */
  expire(link: SharedLink): boolean {
    if (link.unsharedAt === undefined || link.unsharedAt > this.world.now()) return false;
    this.world.events.add("SHARE_EXPIRATION", undefined, link.item);
    this.remove(link);
    return true;
  }

  url(link: SharedLink): string {
    return `${this.world.origins.account}/s/${link.code}`;
  }

  /** What the policy of the enterprise leaves of the access. */
  effectiveAccess(link: SharedLink): LinkAccess {
    const most = widths.indexOf(this.world.settings.linkPolicy.access);
    return widths[Math.min(most, widths.indexOf(link.access))] ?? "collaborators";
  }

  mayDownload(link: SharedLink): boolean {
    return link.canDownload && this.world.settings.linkPolicy.canDownload;
  }

  rights(link: SharedLink): readonly string[] {
    const rights = ["enter", "see"];
    if (this.mayDownload(link)) rights.push("download");
    if (link.canEdit) rights.push("upload", "edit");
    return rights;
  }

  body(link: SharedLink): Record<string, unknown> {
    const { item, canEdit, access } = link;
    const canDownload = this.mayDownload(link);
    const effective = this.effectiveAccess(link);
    const url = this.url(link);
    const direct = item.kind === "file" && canDownload && !isMarked(item);
    const best = canDownload ? "can_download" : "can_preview";
    return {
      url,
      download_url: direct ? `${this.world.origins.account}/shared/static/${link.code}` : null,
      vanity_url:
        link.vanityName === undefined ? null : `${this.world.origins.account}/v/${link.vanityName}`,
      vanity_name: link.vanityName ?? null,
      access,
      effective_access: effective,
      effective_permission: canEdit && canDownload ? "can_edit" : best,
      unshared_at: link.unsharedAt === undefined ? null : boxDate(link.unsharedAt),
      is_password_enabled: link.password !== undefined,
      permissions: { can_download: canDownload, can_preview: true, can_edit: canEdit },
      download_count: link.downloads,
      preview_count: link.previews,
    };
  }

  /** The item behind the header `BoxApi`, for `user`. */
  fromHeader(header: string | undefined, user: User): Item | undefined {
    if (header === undefined) return undefined;
    const given = new URLSearchParams(header);
    return this.opened(given.get("shared_link") ?? "", given.get("shared_link_password"), user)
      .item;
  }

  /**
   * The link with an address, for somebody who may use it.
   *
   * @throws Refusal 404 where there is none or it is not for them, 403 `incorrect_shared_item_password`
   */
  opened(url: string, password: string | null, user: User | undefined): SharedLink {
    const code = /\/(?:s|v)\/([\w-]+)$/.exec(url)?.[1];
    const link = code === undefined ? undefined : this.live(code);
    if (link === undefined || !this.isFor(link, user)) throw notFound();
    if (link.password !== undefined && link.password !== password) {
      throw forbidden("Incorrect shared item password", "incorrect_shared_item_password");
    }
    return link;
  }

  private isFor(link: SharedLink, user: User | undefined): boolean {
    if (user !== undefined && link.item.owner === user) return true;
    switch (this.effectiveAccess(link)) {
      case "open":
        return true;
      case "company":
        return user?.enterpriseId === link.item.owner.enterpriseId;
      case "collaborators":
        return user !== undefined && this.world.isCollaborator(user, link.item);
    }
  }
}
