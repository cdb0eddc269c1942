/** Where Box and its document differ, or the document is silent, and which of them is followed. */
export interface Deviation {
  readonly operation: RegExp;
  readonly side: "request" | "response";
  /** Of what would be reported. */
  readonly what: RegExp;
  readonly because: string;
}

export const deviations: readonly Deviation[] = [
  {
    operation: /./,
    side: "response",
    what: /^4\d\d\/code must be equal to one of the allowed values/,
    because: "The document lists a few codes only; Box's guides list many more.",
  },
  {
    operation: /./,
    side: "response",
    what: /^401 has no body/,
    because: "A token that is no longer good is refused without a body; clients rely on it.",
  },
  {
    operation: /^get_authorize/,
    side: "response",
    what: /^400 has a body/,
    because:
      "What is wrong with a request to sign in is said on a page, of which the document is silent.",
  },
  {
    operation: /^options_files_content/,
    side: "response",
    what: /upload_token must be string/,
    because: "`upload_token` is null for most tenants.",
  },
  {
    operation: /^(options_files|post_files_content|post_files_upload|post_files_id|put_files_id)/,
    side: "response",
    what: /context_info.*must be object|conflicts must be array/,
    because: "The conflict of a file is one object, which the document has as a list.",
  },
  {
    operation: /collaborations/,
    side: "response",
    what: /accessible_by must (be object|match a schema)/,
    because: "Nobody has it yet while an invitation is pending.",
  },
];

/** What may be asked although this document does not have it. */
export const beyond: readonly {
  readonly method: string;
  readonly path: RegExp;
  readonly because: string;
}[] = [
  {
    method: "GET",
    path: /^\/enterprise_configurations\/\d+$/,
    because: "It is in the document of version 2025.0.",
  },
  {
    method: "OPTIONS",
    path: /^\/files\/\d+\/content$/,
    because: "Box's guide to checking uploads has it, for new versions.",
  },
];
