import type { Failure } from "../deps.ts";
import type { UploadedExhibit } from "../upload.ts";

/** What is told of a watched folder. Plain JSON; `file` is the path below the folder. */
export type WatchEvent =
  | { readonly type: "watching"; readonly folder: string }
  | ({ readonly type: "taken"; readonly file: string } & UploadedExhibit)
  | ({ readonly type: "failed"; readonly file: string } & Failure)
  /** Only once for each reason, and again when the reason is another. */
  | {
      readonly type: "waiting";
      readonly file: string;
      readonly reason: "sidecar" | "being-written";
    }
  | { readonly type: "moved"; readonly file: string; readonly to: string }
  | { readonly type: "left-out"; readonly file: string; readonly reason: string }
  | { readonly type: "folder-gone"; readonly folder: string; readonly message: string }
  | { readonly type: "folder-back"; readonly folder: string }
  /** The system tells of no more folders, by this limit of it: new files in the others are seen so often. Once for each limit. */
  | { readonly type: "limited"; readonly limit: string; readonly seconds: number }
  /** The store, or this computer's disk, is the trouble; the same is tried again. */
  | {
      readonly type: "trouble";
      readonly code: string;
      readonly message: string;
      readonly seconds: number;
    };
