import { expect, it } from "@jest/globals";
import { killMany } from "../support/kill-many.ts";

const kib = 1024;
const mib = 1024 * kib;

/** From nothing to several tens of parts. */
const sizes = [
  ...[0, 1, 100, 64 * kib, mib - 1, mib, mib + 1, 2 * mib, 3 * mib + 7],
  ...Array.from({ length: 40 }, (_, index) => (index + 1) * 10 * kib),
  ...[5, 8, 13, 21, 34, 55].map((size) => size * mib),
  ...Array.from({ length: 20 }, (_, index) => index * mib + 12_345),
];

it(
  "loses, doubles and alters nothing in 200 kills over files of mixed sizes, the server's among them",
  async () => {
    const outcome = await killMany({ sizes, kills: 200, serverEvery: 20 });
    const { kills, serverKills, extraBytes, sources, stored, receipts } = outcome;
    const { contentFiles, unfinished, leftOvers } = outcome;
    const said = { kills, serverKills, files: sizes.length, extraBytes, leftOvers };
    process.stdout.write(`${JSON.stringify(said)}\n`);
    expect(stored).toEqual(sources);
    expect(receipts).toEqual(sources);
    expect(contentFiles).toBe(sizes.length);
    expect(unfinished).toBe(0);
    // What a killed server was just making is swept away by later uploads, a day on.
    expect(leftOvers).toBeLessThanOrEqual(serverKills * 4);
    // At most four parts of 1 MiB were in flight at each kill, and each run asks of each file again.
    const asking = sizes.length * 4 * kib;
    expect(extraBytes).toBeLessThan((kills + 1) * (4 * mib + asking) + sizes.length * 32 * kib);
  },
  30 * 60_000,
);
