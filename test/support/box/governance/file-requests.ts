import { randomBytes } from "node:crypto";
import { userMini, type User } from "../accounts/users.ts";
import { boxDate } from "../items/dates.ts";
import { miniBody } from "../items/bodies.ts";
import type { Folder } from "../items/items.ts";

/** A page where people without a licence hand in files. */
export interface FileRequest {
  readonly id: string;
  readonly folder: Folder;
  /** End of its address. */
  readonly code: string;
  title: string;
  description: string | null;
  active: boolean;
  emailRequired: boolean;
  descriptionRequired: boolean;
  expiresAt: Date | undefined;
  etag: number;
  readonly by: User;
  readonly createdAt: Date;
  updatedBy: User;
  updatedAt: Date;
}

/** All file requests, by id. */
export class FileRequests {
  readonly all = new Map<string, FileRequest>();

  make(id: string, folder: Folder, by: User, now: Date): FileRequest {
    const request: FileRequest = {
      id,
      folder,
      code: randomBytes(16).toString("hex"),
      title: "Please upload",
      description: null,
      active: true,
      emailRequired: false,
      descriptionRequired: false,
      expiresAt: undefined,
      etag: 0,
      by,
      createdAt: now,
      updatedBy: by,
      updatedAt: now,
    };
    this.all.set(id, request);
    return request;
  }
}

export function fileRequestBody(request: FileRequest): Record<string, unknown> {
  const { expiresAt } = request;
  return {
    id: request.id,
    type: "file_request",
    title: request.title,
    description: request.description,
    status: request.active ? "active" : "inactive",
    is_email_required: request.emailRequired,
    is_description_required: request.descriptionRequired,
    ...(expiresAt === undefined ? {} : { expires_at: boxDate(expiresAt) }),
    folder: miniBody(request.folder),
    url: `/f/${request.code}`,
    etag: String(request.etag),
    created_by: userMini(request.by),
    created_at: boxDate(request.createdAt),
    updated_by: userMini(request.updatedBy),
    updated_at: boxDate(request.updatedAt),
  };
}
