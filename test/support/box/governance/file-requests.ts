import type { User } from "../accounts/users.ts";
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
}
