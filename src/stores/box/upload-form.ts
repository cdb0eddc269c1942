import { randomBytes } from "node:crypto";

/** What goes around a file's bytes in a simple upload, as multipart/form-data: its attributes must come first (Box: upload file). */
export function uploadForm(
  name: string,
  folderId: string,
): { readonly type: string; readonly before: Uint8Array; readonly after: Uint8Array } {
  const boundary = `exhibit-${randomBytes(18).toString("hex")}`;
  const attributes = JSON.stringify({ name, parent: { id: folderId } });
  const before = [
    `--${boundary}`,
    'Content-Disposition: form-data; name="attributes"',
    "Content-Type: application/json",
    "",
    attributes,
    `--${boundary}`,
    'Content-Disposition: form-data; name="file"; filename="file"',
    "Content-Type: application/octet-stream",
    "",
    "",
  ];
  return {
    type: `multipart/form-data; boundary=${boundary}`,
    before: Buffer.from(before.join("\r\n")),
    after: Buffer.from(`\r\n--${boundary}--\r\n`),
  };
}
