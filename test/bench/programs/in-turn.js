/**
 * Does something with each, so many at once.
 *
 * @template T
 * @param {readonly T[]} all
 * @param {number} atOnce
 * @param {(one: T, worker: number) => Promise<unknown>} act `worker`: which of those at once, from 0
 */
export async function inTurn(all, atOnce, act) {
  let next = 0;
  const work = async (/** @type {number} */ worker) => {
    for (let one = all[next++]; one !== undefined; one = all[next++]) await act(one, worker);
  };
  await Promise.all(
    Array.from({ length: Math.min(atOnce, all.length) }, (_, index) => work(index)),
  );
}
