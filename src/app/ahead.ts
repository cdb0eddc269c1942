/** Works on things, up to `most` of them before their turn comes, and gives what came of each in their order. */
export async function* ahead<Thing, Result>(
  things: Iterable<Thing>,
  most: number,
  work: (thing: Thing) => Promise<Result>,
): AsyncGenerator<Result, void> {
  const running: Promise<Result>[] = [];
  for (const thing of things) {
    const one = work(thing);
    // Told when its turn comes; whoever stops before does not want to know.
    one.catch(() => undefined);
    running.push(one);
    if (running.length < most) continue;
    const first = running.shift();
    if (first !== undefined) yield await first;
  }
  for (const one of running) yield await one;
}
