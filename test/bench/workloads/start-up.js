// How long the program takes to say its version, beside the least that Node takes.
import { cost } from "../measure.js";
import { interleave } from "../rounds.js";
import { compare, withGoal } from "../rows.js";
import { program } from "../servers/exhibit.js";

/** More than elsewhere: each takes little, and varies. */
const rounds = 21;

/**
 * @param {import("../rounds.js").Plan} plan
 * @returns {Promise<import("./sending.js").Measured>}
 */
export async function startUp(plan) {
  const workload = "exhibit --version";
  const samples = await interleave(
    [
      { name: "exhibit", run: () => cost([process.execPath, program, "--version"]) },
      { name: "node -e 0", run: () => cost([process.execPath, "-e", "0"]) },
    ],
    { ...plan, rounds, goesOn: () => true, say: () => undefined },
  );
  const wall = compare(samples, workload, "wall (s)", "wall", { floor: "node -e 0" });
  return {
    samples,
    rows: [
      withGoal(wall, "<= 1.6 x floor", wall.toFloor, (x) => x <= 1.6),
      compare(samples, workload, "client CPU (s)", "clientCpu", { floor: "node -e 0" }),
      compare(samples, workload, "client peak RSS (MiB)", "clientRss", { floor: "node -e 0" }),
    ],
  };
}
