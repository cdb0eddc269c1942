/** Share ids hold capitals and digits; each has a tone of its own, all within what a telephone carries. */
const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
const lowestHz = 700;
const stepHz = 60;

/** Length of one tone and of the silence behind it. */
export const toneSeconds = 0.1;
export const toneStride = 0.12;
/** The tones come at the start and again each time this long has passed. */
export const toneInterval = 30;

/** The tones that spell a share id, in Hz, in order. What is not a capital or a digit has no tone. */
export function tonesOf(shareId: string): number[] {
  const places = Array.from(shareId.toUpperCase(), (letter) => alphabet.indexOf(letter));
  return places.filter((place) => place >= 0).map((place) => lowestHz + stepHz * place);
}

/** ffmpeg's expression (of `t`, in seconds) for the tones of a share id, an eighth of full scale loud. */
export function toneExpression(shareId: string): string {
  const beat = `mod(t,${toneInterval})`;
  const terms = tonesOf(shareId).map((hz, place) => {
    const from = place * toneStride;
    return `between(${beat},${from.toFixed(2)},${(from + toneSeconds).toFixed(2)})*sin(2*PI*${hz}*t)`;
  });
  return `0.125*(${["0", ...terms].join("+")})`;
}
