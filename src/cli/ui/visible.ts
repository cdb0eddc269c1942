/**
 * Text from elsewhere (file names, titles, names of people) as it may stand on a terminal: control and direction
 * characters, which could move the cursor or turn a name around, are shown as `\u{202E}`.
 */
export function visible(text: string): string {
  return text.replace(
    /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Co}\p{Cs}]/gu,
    (character) => `\\u{${(character.codePointAt(0) ?? 0).toString(16).toUpperCase()}}`,
  );
}

/** Made when it is first needed: it takes a third of the time in which the whole program starts. */
let characters: Intl.Segmenter | undefined;

/** Shortens `text` to `width` characters from its middle, so that the end of a name stays readable. */
export function shortened(text: string, width: number): string {
  characters ??= new Intl.Segmenter();
  const all = Array.from(characters.segment(text), ({ segment }) => segment);
  if (all.length <= width) return text;
  const tail = Math.floor((width - 1) / 2);
  return `${all.slice(0, width - 1 - tail).join("")}…${all.slice(-tail).join("")}`;
}
