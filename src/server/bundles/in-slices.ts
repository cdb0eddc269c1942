/** Rows in one statement: a database limits how many values it takes in one, and 1,000 rows of 13 are well within. */
const mostRows = 1000;

/** Runs `work` on slices of what may be more rows than one statement takes, in order; never on none. */
export async function inSlices<T>(
  all: readonly T[],
  work: (slice: readonly T[]) => Promise<unknown>,
): Promise<void> {
  for (let at = 0; at < all.length; at += mostRows) await work(all.slice(at, at + mostRows));
}
