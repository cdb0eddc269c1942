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
