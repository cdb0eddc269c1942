/** What is put into every copy made for a share, so that a copy found elsewhere tells where it came from. */
export interface Mark {
  /** `S` and nine characters that are not mistaken for each other; see `shareSchema`. */
  readonly shareId: string;
  /** The one person the share is for. */
  readonly recipient: string;
  /** Who shares. */
  readonly organisation: string;
  /** The exhibit's reference, e.g. `ABC/1`. */
  readonly reference: string;
  /** When it is being viewed: now, at each call. */
  readonly at: Date;
}

const lineLength = 34;

/** The lines beneath the share id: for whom, when (UTC, to the minute), what and from whom; at most 34 characters each. */
export function markLines(mark: Mark): string[] {
  return [
    shortened(`For ${mark.recipient}`),
    `${mark.at.toISOString().slice(0, 16).replace("T", " ")} UTC`,
    shortened(`${mark.reference} ${mark.organisation}`),
  ];
}

/** Everything in one line, for the foot of a page. */
export function markSentence(mark: Mark): string {
  const [, time = ""] = markLines(mark);
  return `${mark.shareId} - ${mark.reference} - for ${mark.recipient} - viewed ${time} - shared by ${mark.organisation}`;
}

/** One line of printable characters, whole letters kept (a letter may be several code points). */
function shortened(text: string): string {
  const letters = [...new Intl.Segmenter().segment(text.replaceAll(/[\p{C}\p{Z}]+/gu, " ").trim())];
  if (letters.length <= lineLength) return letters.map(({ segment }) => segment).join("");
  const kept = letters.slice(0, lineLength - 1).map(({ segment }) => segment);
  return `${kept.join("")}…`;
}
