/** Segments are cut to whole frames, as near to this as that allows. */
const segmentSeconds = 2;

/** Adds a segment's number to ranges written as `0-14,22-30` (a lone number stands for itself). */
export function addSegment(ranges: string, number: number): string {
  const merged: [number, number][] = [];
  const all = [...parseRanges(ranges), [number, number] as const];
  for (const [first, last] of all.sort(([a], [b]) => a - b)) {
    const before = merged.at(-1);
    if (before !== undefined && first <= before[1] + 1) before[1] = Math.max(before[1], last);
    else merged.push([first, last]);
  }
  return merged
    .map(([first, last]) => (first === last ? `${first}` : `${first}-${last}`))
    .join(",");
}

/** The ranges as pairs of first and last number, in order. */
export function parseRanges(ranges: string): (readonly [number, number])[] {
  if (ranges === "") return [];
  return ranges.split(",").map((range) => {
    const [first = "", last = first] = range.split("-");
    return [Number(first), Number(last)] as const;
  });
}

/** Which places of a video the ranges are, for people: `about 0:00:00 to 0:00:30, 0:00:44 to 0:01:02`. */
export function placesInWords(ranges: string): string {
  const places = parseRanges(ranges).map(
    ([first, last]) => `${place(first * segmentSeconds)} to ${place((last + 1) * segmentSeconds)}`,
  );
  return `about ${places.join(", ")}`;
}

function place(seconds: number): string {
  const two = (value: number): string => String(value).padStart(2, "0");
  return `${Math.floor(seconds / 3600)}:${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}`;
}
