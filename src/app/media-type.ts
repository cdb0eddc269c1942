const unknownType = "application/octet-stream";

/** By extension, in lower case: what recorders, phones and control rooms hand in. */
const byExtension: Readonly<Record<string, string>> = {
  mp4: "video/mp4",
  m4v: "video/mp4",
  mov: "video/quicktime",
  mkv: "video/x-matroska",
  webm: "video/webm",
  avi: "video/x-msvideo",
  ts: "video/mp2t",
  mts: "video/mp2t",
  mpg: "video/mpeg",
  asf: "video/x-ms-asf",
  wmv: "video/x-ms-wmv",
  h264: "video/h264",
  wav: "audio/wav",
  mp3: "audio/mpeg",
  m4a: "audio/mp4",
  ogg: "audio/ogg",
  amr: "audio/amr",
  flac: "audio/flac",
  jpg: "image/jpeg",
  jpeg: "image/jpeg",
  png: "image/png",
  gif: "image/gif",
  tif: "image/tiff",
  tiff: "image/tiff",
  bmp: "image/bmp",
  heic: "image/heic",
  webp: "image/webp",
  pdf: "application/pdf",
  zip: "application/zip",
  json: "application/json",
  xml: "application/xml",
  csv: "text/csv",
  txt: "text/plain",
  html: "text/html",
};

/** By what a file begins with: bytes (as Latin-1 text) at an offset. The first that fits counts. */
const byBeginning: readonly (readonly [offset: number, text: string, mediaType: string])[] = [
  [4, "ftypqt", "video/quicktime"],
  [4, "ftypM4A", "audio/mp4"],
  [4, "ftyphei", "image/heic"],
  [4, "ftyp", "video/mp4"],
  [8, "WAVEfmt", "audio/wav"],
  [8, "AVI LIST", "video/x-msvideo"],
  [8, "WEBP", "image/webp"],
  [0, "ID3", "audio/mpeg"],
  [0, "fLaC", "audio/flac"],
  [0, "#!AMR", "audio/amr"],
  [0, "\xFF\xD8\xFF", "image/jpeg"],
  [0, "\x89PNG\r\n\x1A\n", "image/png"],
  [0, "GIF8", "image/gif"],
  [0, "%PDF-", "application/pdf"],
];

/** The media type of a file, by its first bytes where they tell, else by its extension. */
export function mediaTypeOf(path: string, head: Uint8Array): string {
  const beginning = Buffer.from(head).toString("latin1");
  const told = byBeginning.find(([offset, text]) => beginning.startsWith(text, offset));
  if (told !== undefined) return told[2];
  const extension = /\.([^./]+)$/.exec(path)?.[1]?.toLowerCase() ?? "";
  return byExtension[extension] ?? unknownType;
}
