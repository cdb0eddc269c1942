import type { ShareAccess, ShareAccessEvent } from "../../../evidence/share.ts";
import { inUtc } from "../sharing/link.ts";
import type { ShareDocument, ShareEvent } from "../sharing/documents.ts";
import type { BoxEvent } from "./streams.ts";

type Kind = ShareAccessEvent["kind"];

/** Box's words, of the enterprise's streams and of a user's own, and ours. */
const kinds: Readonly<Record<string, Kind>> = {
  PREVIEW: "file-viewed",
  ITEM_PREVIEW: "file-viewed",
  ITEM_OPEN: "file-viewed",
  CONTENT_ACCESS: "file-viewed",
  DOWNLOAD: "copy-downloaded",
  ITEM_DOWNLOAD: "copy-downloaded",
  FILE_WATERMARKED_DOWNLOAD: "copy-downloaded",
  SHARE: "link-made",
  ITEM_SHARED_CREATE: "link-made",
  ITEM_SHARED: "link-changed",
  ITEM_SHARED_UPDATE: "link-changed",
  UPDATE_SHARE_EXPIRATION: "link-changed",
  UNSHARE: "link-removed",
  ITEM_SHARED_UNSHARE: "link-removed",
  SHARE_EXPIRATION: "link-expired",
  COLLABORATION_INVITE: "invited",
  COLLAB_INVITE_COLLABORATOR: "invited",
  COLLABORATION_ACCEPT: "invitation-accepted",
  COLLAB_ADD_COLLABORATOR: "invitation-accepted",
  COLLABORATION_ROLE_CHANGE: "invitation-changed",
  COLLAB_ROLE_CHANGE: "invitation-changed",
  COLLABORATION_REMOVE: "invitation-ended",
  COLLAB_REMOVE_COLLABORATOR: "invitation-ended",
  COLLABORATION_EXPIRATION: "invitation-ended",
  WATERMARK_LABEL_CREATE: "copy-marked",
  WATERMARK_LABEL_DELETE: "copy-unmarked",
  COPY: "copy-made",
  ITEM_COPY: "copy-made",
  DELETE: "copy-deleted",
  ITEM_TRASH: "copy-deleted",
  MOVE: "copy-changed",
  ITEM_MOVE: "copy-changed",
  RENAME: "copy-changed",
  ITEM_RENAME: "copy-changed",
  EDIT: "copy-changed",
  UPLOAD: "copy-changed",
};

/** The types that the enterprise's streams are asked for. */
export const wantedTypes: readonly string[] = Object.keys(kinds).filter(
  (type) => !/^(?:ITEM_(?!SHARED_UPDATE)|COLLAB_|CONTENT_ACCESS)/.test(type),
);

/** Box's id of everybody who is not signed in. */
const anonymous = "2";

/** What a share's events are told by. */
export interface Concerned {
  readonly access: ShareAccess;
  readonly recipientEmail: string;
  /** The references of files and folders in Box, by their ids. */
  readonly references: ReadonlyMap<string, string | undefined>;
}

/** The ids that a share's events are about. */
export function concernedBy(document: ShareDocument): Concerned {
  const reference = new Map(document.exhibits.map((one) => [one.id, one.reference]));
  const references = new Map<string, string | undefined>();
  for (const { id, exhibit } of document.copies) references.set(id, reference.get(exhibit));
  for (const { on, exhibit } of document.collaborations) {
    references.set(on.id, exhibit === undefined ? undefined : reference.get(exhibit));
  }
  const { link, access } = document;
  if (link?.on.type === "folder") references.set(link.on.id, undefined);
  return { access, recipientEmail: document.recipient.email, references };
}

function placeOf({ source }: BoxEvent, { references }: Concerned): string | undefined {
  const own = source?.item_id ?? source?.id ?? "";
  if (references.has(own)) return own;
  const parent = source?.parent?.id ?? "";
  return references.has(parent) ? parent : undefined;
}

/** True for what happened to a share: of originals, on which others work as well, only what its recipient did and who was invited. */
export function concerns(event: BoxEvent, concerned: Concerned): boolean {
  if (placeOf(event, concerned) === undefined) return false;
  if (concerned.access === "view" || event.event_type.startsWith("COLLAB")) return true;
  return event.created_by?.login?.toLowerCase() === concerned.recipientEmail.toLowerCase();
}

/** An event of Box's as a line of a share's log. */
export function told(
  event: BoxEvent,
  concerned: Concerned,
  source: NonNullable<ShareAccessEvent["source"]>,
): ShareAccessEvent {
  const { event_type, created_by, ip_address } = event;
  const place = placeOf(event, concerned);
  const reference = place === undefined ? undefined : concerned.references.get(place);
  const who =
    created_by?.id === anonymous ? "anyone with the link" : (created_by?.login ?? created_by?.id);
  const kind = kindOf(event_type, concerned.access);
  const isKnownAddress = typeof ip_address === "string" && !/unknown/i.test(ip_address);
  return {
    at: inUtc(event.created_at),
    kind,
    ...(isKnownAddress ? { address: ip_address } : {}),
    ...(who === undefined ? {} : { who }),
    source,
    ...(reference === undefined ? {} : { reference }),
    ...detailOf(event, kind),
  };
}

function kindOf(type: string, access: ShareAccess): Kind {
  const kind = kinds[type] ?? "other";
  if (access === "view" || !kind.startsWith("copy-")) return kind;
  return kind === "copy-downloaded" ? "original-downloaded" : "other";
}

function detailOf({ event_type, source }: BoxEvent, kind: Kind): { detail?: string } {
  if (kind === "other") return { detail: event_type };
  const name = source?.item_name ?? source?.name;
  const isOfFile = /^(?:file-viewed|copy-|original-)/.test(kind);
  return isOfFile && name !== undefined ? { detail: name } : {};
}

const ownKinds = {
  created: "share-created",
  updated: "share-updated",
  "exhibit-revoked": "share-revoked",
  revoked: "share-revoked",
  abandoned: "share-abandoned",
  cleared: "share-cleared",
} as const;

/** What we did ourselves as a line of the log; undefined for what another line tells better. */
export function toldOfUs(
  { event, at, by, expiresAt, exhibit, detail, calls }: ShareEvent,
  exhibits: ShareDocument["exhibits"],
): ShareAccessEvent | undefined {
  if (event === "updating") return undefined;
  const reference = exhibits.find(({ id }) => id === exhibit)?.reference;
  const requestIds = calls.flatMap(({ requestId }) => requestId ?? []);
  const words = [
    ...(expiresAt === undefined ? [] : [`until ${expiresAt}`]),
    ...(event === "exhibit-revoked" ? ["taken out of the share"] : []),
    ...(detail === undefined ? [] : [detail]),
    ...(calls.length === 0 ? [] : [`${calls.length} changes in Box`]),
    ...(requestIds.length === 0 ? [] : [`requests ${requestIds.join(" ")}`]),
  ];
  return {
    at,
    kind: ownKinds[event],
    who: `Box user ${by}`,
    source: "own",
    ...(reference === undefined ? {} : { reference }),
    ...(words.length === 0 ? {} : { detail: words.join(", ") }),
  };
}
