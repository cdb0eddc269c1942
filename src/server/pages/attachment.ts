/** Characters of a file name that no system of ours takes, and those that hide or turn what is shown. */
const unsafe = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}"*/:<>?\\|]+/gu;

/**
 * `Content-Disposition` for a download under a file's original name (RFC 6266 with RFC 5987's `filename*`): only the
 * name, never its folders, nothing that could start another header or reach another folder.
 */
export function attachment(originalPath: string, otherwise: string): string {
  const last = originalPath.split(/[/\\]/).at(-1) ?? "";
  const cleaned = last
    .normalize("NFC")
    .replace(unsafe, "_")
    .replace(/^[. ]+|[. ]+$/g, "");
  const name = cleaned === "" ? otherwise : cleaned;
  const ascii = name.replace(/[^\x20-\x7e]+/g, "_").replaceAll("%", "_");
  const encoded = encodeURIComponent(name).replace(
    /['()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
  return `attachment; filename="${ascii}"; filename*=UTF-8''${encoded}`;
}
