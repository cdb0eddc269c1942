import { authorizeDecision, authorizePage } from "./accounts/authorize.ts";
import { readScopes, uploadScopes } from "./accounts/downscope.ts";
import { revokeEndpoint, tokenEndpoint } from "./accounts/token-endpoint.ts";
import { me } from "./accounts/user-routes.ts";
import { notFound, type Answer } from "./http/answer.ts";
import type { Call, Host } from "./http/call.ts";
import { Router, type Route } from "./http/router.ts";
import { commitSession } from "./items/commit.ts";
import * as files from "./items/file-routes.ts";
import * as folders from "./items/folder-routes.ts";
import { preflight, versionPreflight } from "./items/preflight.ts";
import * as sessions from "./items/session-routes.ts";
import { uploadFile, uploadVersion } from "./items/simple-upload.ts";
import { events } from "./audit/event-routes.ts";
import { enterpriseConfiguration } from "./governance/enterprise.ts";
import * as requests from "./governance/file-request-routes.ts";
import * as residency from "./governance/residency.ts";
import * as metadata from "./governance/metadata-routes.ts";
import * as collaborations from "./sharing/collaboration-routes.ts";
import { linkDownload, linkPage } from "./sharing/link-pages.ts";
import { sharedItem } from "./sharing/shared-items.ts";
import { fileMark, folderMark } from "./sharing/watermarks.ts";
import type { World } from "./world.ts";

type WorldHandler = (world: World, call: Call) => Answer | Promise<Answer>;
type Line = readonly [
  method: string,
  path: string,
  handler: WorldHandler,
  scopes: readonly string[] | "none" | undefined,
  version?: string,
];

const writeScopes = [...uploadScopes, "item_rename", "item_readwrite"] as const;

const api: readonly Line[] = [
  ["POST", "/oauth2/token", tokenEndpoint, "none"],
  ["POST", "/oauth2/revoke", revokeEndpoint, "none"],
  ["GET", "/2.0/users/me", me, [...readScopes, ...writeScopes]],
  ["POST", "/2.0/folders", folders.createFolder, uploadScopes],
  ["GET", "/2.0/folders/:id", folders.getFolder, [...readScopes, ...uploadScopes]],
  [
    "PUT",
    "/2.0/folders/:id",
    folders.updateFolder,
    ["item_rename", "item_share", "item_readwrite"],
  ],
  ["DELETE", "/2.0/folders/:id", folders.deleteFolder, ["item_delete", "item_readwrite"]],
  ["GET", "/2.0/folders/:id/items", folders.folderItems, readScopes],
  ["OPTIONS", "/2.0/files/content", preflight, uploadScopes],
  ["OPTIONS", "/2.0/files/:id/content", versionPreflight, uploadScopes],
  ["GET", "/2.0/files/:id", files.getFile, readScopes],
  ["PUT", "/2.0/files/:id", files.updateFile, ["item_rename", "item_share", "item_readwrite"]],
  ["DELETE", "/2.0/files/:id", files.deleteFile, ["item_delete", "item_readwrite"]],
  ["GET", "/2.0/files/:id/content", files.downloadFile, ["item_download", "item_readwrite"]],
  ["POST", "/2.0/files/:id/copy", files.copyFile, ["item_readwrite"]],
  ["GET", "/2.0/files/:id/versions", files.fileVersions, readScopes],
  ["GET", "/2.0/shared_items", sharedItem, readScopes],
  ["GET", "/2.0/files/:id/watermark", fileMark.get, readScopes],
  ["PUT", "/2.0/files/:id/watermark", fileMark.put, undefined],
  ["DELETE", "/2.0/files/:id/watermark", fileMark.remove, undefined],
  ["GET", "/2.0/folders/:id/watermark", folderMark.get, readScopes],
  ["PUT", "/2.0/folders/:id/watermark", folderMark.put, undefined],
  ["DELETE", "/2.0/folders/:id/watermark", folderMark.remove, undefined],
  ["POST", "/2.0/collaborations", collaborations.invite, undefined],
  ["GET", "/2.0/collaborations/:id", collaborations.getCollaboration, undefined],
  ["PUT", "/2.0/collaborations/:id", collaborations.changeCollaboration, undefined],
  ["DELETE", "/2.0/collaborations/:id", collaborations.removeCollaboration, undefined],
  ["GET", "/2.0/files/:id/collaborations", collaborations.fileCollaborations, readScopes],
  ["GET", "/2.0/folders/:id/collaborations", collaborations.folderCollaborations, readScopes],
  ["GET", "/2.0/events", events, undefined],
  ...metadataLines("files", metadata.fileMetadata),
  ...metadataLines("folders", metadata.folderMetadata),
  ["POST", "/2.0/metadata_templates/schema", metadata.createTemplate, undefined],
  ["GET", "/2.0/metadata_templates/:scope/:template/schema", metadata.getTemplate, undefined],
  ["POST", "/2.0/file_requests/:id/copy", requests.copyFileRequest, undefined],
  ["GET", "/2.0/file_requests/:id", requests.getFileRequest, undefined],
  ["PUT", "/2.0/file_requests/:id", requests.updateFileRequest, undefined],
  ["DELETE", "/2.0/file_requests/:id", requests.deleteFileRequest, undefined],
  ["GET", "/2.0/storage_policies", residency.storagePolicies, undefined],
  ["GET", "/2.0/storage_policy_assignments", residency.storagePolicyAssignments, undefined],
  ["GET", "/2.0/collaboration_whitelist_entries", residency.allowedDomains, undefined],
  ["GET", "/2.0/enterprise_configurations/:id", enterpriseConfiguration, undefined, "2025.0"],
];

function metadataLines(kind: string, of: typeof metadata.fileMetadata): Line[] {
  const one = `/2.0/${kind}/:id/metadata/:scope/:template`;
  return [
    ["GET", `/2.0/${kind}/:id/metadata`, of.list, readScopes],
    ["POST", one, of.create, undefined],
    ["GET", one, of.get, readScopes],
    ["PUT", one, of.update, undefined],
    ["DELETE", one, of.remove, undefined],
  ];
}

const upload: readonly Line[] = [
  ["POST", "/api/2.0/files/content", uploadFile, uploadScopes],
  ["POST", "/api/2.0/files/:id/content", uploadVersion, uploadScopes],
  ["POST", "/api/2.0/files/upload_sessions", sessions.createSession, uploadScopes],
  ["POST", "/api/2.0/files/:id/upload_sessions", sessions.createVersionSession, uploadScopes],
];

const session: readonly Line[] = [
  ["GET", "/api/2.0/files/upload_sessions/:session", sessions.sessionStatus, uploadScopes],
  ["PUT", "/api/2.0/files/upload_sessions/:session", sessions.uploadPart, uploadScopes],
  ["DELETE", "/api/2.0/files/upload_sessions/:session", sessions.abortSession, uploadScopes],
  ["GET", "/api/2.0/files/upload_sessions/:session/parts", sessions.listParts, uploadScopes],
  ["POST", "/api/2.0/files/upload_sessions/:session/commit", commitSession, uploadScopes],
];

const account: readonly Line[] = [
  ["GET", "/api/oauth2/authorize", authorizePage, "none"],
  ["POST", "/api/oauth2/authorize", authorizeDecision, "none"],
  ["GET", "/s/:code", linkPage, "none"],
  ["GET", "/shared/static/:code", linkDownload, "none"],
  ["GET", "/f/:code", requests.fileRequestPage, "none"],
];

const download: readonly Line[] = [
  ["GET", "/d/1/:code/download", (world, call) => world.downloads.get(call), "none"],
];

const tables: Readonly<Record<Host, readonly Line[]>> = { api, upload, session, account, download };

/** All that the simulator answers, by origin. */
export function routes(world: World): Router {
  const router = new Router();
  for (const [host, lines] of Object.entries(tables) as [Host, readonly Line[]][]) {
    for (const line of lines) router.add(route(world, host, line));
  }
  for (const line of session) {
    const own = route(world, "upload", line);
    router.add({ ...own, handler: onUploadHost(world, own.handler) });
  }
  return router;
}

function route(world: World, host: Host, [method, path, handler, scopes, version]: Line): Route {
  return {
    method,
    path,
    hosts: [host],
    scopes,
    handler: (call) => handler(world, call),
    ...(version === undefined ? {} : { version }),
  };
}

/** Sessions live at their own origin; on the upload host only where a test's client cannot be told so. */
function onUploadHost(world: World, handler: Route["handler"]): Route["handler"] {
  return (call) => {
    if (world.settings.sessionsOnUploadHost) return handler(call);
    throw notFound("Upload sessions are answered at their own endpoints");
  };
}
