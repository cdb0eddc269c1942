/** Names under which programs write what is not whole yet, or keep what is nobody's evidence: dot files, `~$`, `.part`, `.tmp` and the like. */
export function isTemporaryName(path: string): boolean {
  const parts = path.split("/");
  const name = parts.at(-1) ?? "";
  return (
    parts.some((part) => part.startsWith(".")) ||
    name.startsWith("~$") ||
    /(?:\.(?:part|partial|tmp|temp|crdownload|download|filepart|swp)|~)$/i.test(name) ||
    /^(?:thumbs\.db|desktop\.ini)$/i.test(name)
  );
}

/** The path below the watched folder, of what a walk calls after the folder's own name. */
export function belowFolder(path: string): string {
  return path.slice(path.indexOf("/") + 1);
}
