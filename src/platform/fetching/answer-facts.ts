import path from "node:path";
import { ExhibitError } from "../../evidence/errors.ts";
import { linkWithoutSecrets, type Fetched } from "../../evidence/fetched.ts";
import type { Asked } from "./ask-host.ts";

/** What of an answer's head goes into the record. */
export function headersOf({ headers }: Pick<Asked, "headers">): Fetched["headers"] {
  const kept = {
    date: headers.date,
    lastModified: headers["last-modified"],
    etag: headers.etag,
    contentType: headers["content-type"],
    contentDisposition: headers["content-disposition"],
    contentDigest: oneOf(headers["content-digest"]),
    reprDigest: oneOf(headers["repr-digest"]),
  };
  return Object.fromEntries(
    Object.entries(kept)
      .filter(([, value]) => value !== undefined && value !== "")
      .map(([name, value]) => [name, value?.slice(0, 1024)]),
  );
}

function oneOf(field: string | string[] | undefined): string | undefined {
  return Array.isArray(field) ? field.join(", ") : field;
}

/** An ETag that stands for the very bytes (RFC 9110 section 8.8.1). */
export function strongEtag({ etag }: Fetched["headers"]): string | undefined {
  return etag !== undefined && /^"[^"]*"$/.test(etag) ? etag : undefined;
}

const longestName = 150;

/** The name that an answer gives its file, or the link does, without folders and what could deceive. */
export function nameFor(link: URL, { contentDisposition }: Fetched["headers"]): string {
  const last = linkWithoutSecrets(link).split("/").at(-1) ?? "";
  const found =
    dispositionName(contentDisposition ?? "") ?? decoded(last.includes("…") ? "" : last);
  const bare = path.win32
    .basename(found)
    .replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu, "")
    .replace(/^\.+|[. ]+$/g, "")
    .trim();
  if (bare === "") return "download";
  const extension = /\.[A-Za-z0-9]{1,8}$/.exec(bare)?.[0] ?? "";
  return bare.length <= longestName
    ? bare
    : bare.slice(0, longestName - extension.length) + extension;
}

/** `filename*` before `filename` (RFC 6266 section 4.3). */
function dispositionName(field: string): string | undefined {
  const extended = /filename\*\s*=\s*utf-8'[^']*'([^;\s]+)/i.exec(field)?.[1];
  if (extended !== undefined) return decoded(extended);
  const plain = /filename\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^;\s]+))/i.exec(field);
  const text = plain?.[1]?.replace(/\\(.)/g, "$1") ?? plain?.[2];
  // Node reads headers byte by byte; browsers take such names for UTF-8.
  return text === undefined ? undefined : Buffer.from(text, "latin1").toString("utf8");
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** Whether what comes is a page and not a file, by what it is called and how it begins. */
export function isPage(link: URL, { contentType = "" }: Fetched["headers"], head: Buffer): boolean {
  if (/\.x?html?$/i.test(link.pathname)) return false;
  return (
    /^(?:text\/html|application\/xhtml)/i.test(contentType) ||
    /^\s*(?:<!doctype\s+html|<html[\s>])/i.test(head.subarray(0, 256).toString("latin1"))
  );
}

export function pageInstead({ host }: URL): ExhibitError {
  return new ExhibitError(
    "policy.not-permitted",
    `${host} answered with a web page, not with a file.`,
    {
      hint: "It is a page to sign in at, most likely, or one with a button to press. Ask the partner for a direct link; nothing was kept.",
    },
  );
}

/** What an answer without a file stands for. */
export function refusal(status: number, { host }: URL): ExhibitError {
  const facts = { status };
  if (status === 401 || status === 403 || status === 407) {
    const words = `${host} asks to be signed in to before it gives this file (status ${status}).`;
    const hint =
      "Ask the partner for a link that opens without an account, or a new one: this one may have ended.";
    return new ExhibitError("policy.not-permitted", words, { hint, facts });
  }
  if (status === 404 || status === 410) {
    const hint =
      "Check that the whole link was given. If it has ended, ask the partner for a new one.";
    return new ExhibitError(
      "not-found.source",
      `${host} has nothing at this link (status ${status}).`,
      { hint, facts },
    );
  }
  return new ExhibitError("unavailable.source", `${host} answered with status ${status}.`, {
    hint: "Try again later; what has arrived is kept.",
    facts,
  });
}
