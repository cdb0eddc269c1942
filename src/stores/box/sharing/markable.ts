/** What Box is known to show a watermark on, as documents and pictures are previewed; of anything else nothing is known. */
const surely =
  /^(?:image\/|text\/|application\/(?:pdf|rtf|msword|vnd\.(?:ms-|openxmlformats-officedocument\.|oasis\.opendocument\.)))/;

/** True where a watermark that Box has accepted can be seen. Of video Box calls it a beta; sound has nothing to be seen. */
export function isSurelyMarked(mediaType: string): boolean {
  return surely.test(mediaType);
}
