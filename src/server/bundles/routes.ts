import { setMaxListeners } from "node:events";
import type { FastifyInstance } from "fastify";
import { ExhibitError } from "../../evidence/errors.ts";
import type { GroupedContent } from "../../evidence/ports/grouped-content.ts";
import {
  bundleMediaType,
  bundlesPath,
  mostBundleBytes,
  reservationsPath,
  reservationsSchema,
  type Bundled,
  type Reserved,
} from "../../protocol/bundles.ts";
import { sealedSchema } from "../../evidence/seal.ts";
import type { Access } from "../access.ts";
import { BytesInFlight, memoryForBodies } from "../content/bytes-in-flight.ts";
import { declaredBody, takeBodiesAsStreams, withBody } from "../content/receive-body.ts";
import type { ExhibitRow } from "../database/exhibit-tables.ts";
import type { ServerDeps } from "../deps.ts";
import { entryOf } from "../exhibits/entries.ts";
import { finishAll } from "./finish-all.ts";
import { InHand } from "./in-hand.ts";
import { nameOf } from "./known-exhibits.ts";
import { refusedAs } from "./or-refused.ts";
import { readBundle } from "./read-bundle.ts";
import { reserveAll } from "./reserve-all.ts";
import { sealBundle } from "./seal-bundle.ts";

const access: Access = ["admin", "officer", "partner"];

/** A thousand reservations with the longest source ids. */
const reservationsLimitBytes = 4 * 1024 * 1024;

/** Many small exhibits at once (`protocol/bundles.ts`), where the content store can group its writes. */
export function bundleRoutes(app: FastifyInstance, deps: ServerDeps): void {
  if (deps.grouped !== undefined) groupedRoutes(app, deps, deps.grouped);
}

function groupedRoutes(app: FastifyInstance, deps: ServerDeps, content: GroupedContent): void {
  const memory = new BytesInFlight(memoryForBodies / 4, mostBundleBytes);
  const inHand = new InHand();
  const stop = new AbortController();
  // Every body on its way listens to it.
  setMaxListeners(0, stop.signal);
  app.addHook("preClose", (done) => {
    stop.abort(closing());
    done();
  });
  takeBodiesAsStreams(app, stop.signal, bundleMediaType);

  app.post(
    reservationsPath,
    { config: { access }, bodyLimit: reservationsLimitBytes },
    async (request): Promise<Reserved> => {
      const { reservations } = reservationsSchema.parse(request.body);
      const found = await reserveAll(deps, content, request.caller, reservations, stop.signal);
      const rows = found.flatMap((one) => (one instanceof ExhibitError ? [] : [one]));
      const finished = await finishAll(deps, content, rows, stop.signal);
      const after = new Map(rows.map((row, index) => [row, finished[index] ?? row]));
      return {
        answers: found.map((one) => {
          const now = one instanceof ExhibitError ? one : (after.get(one) ?? one);
          return now instanceof ExhibitError ? refusedAs(now) : { entry: entryOf(now) };
        }),
      };
    },
  );

  app.post(bundlesPath, { config: { access } }, (request): Promise<Bundled> => {
    const body = declaredBody(request, mostBundleBytes);
    return withBody(request, body, memory, stop.signal, async (bytes) => {
      const bundle = readBundle(bytes, body.sha256);
      const names = bundle.flatMap((one) => (one instanceof ExhibitError ? [] : [nameOf(one)]));
      const answers = await inHand.alone(names, () =>
        sealBundle(deps, content, request.caller, bundle),
      );
      return { answers: answers.map(answerOf) };
    });
  });
}

function answerOf(answer: ExhibitRow | ExhibitError): Bundled["answers"][number] {
  if (answer instanceof ExhibitError) return refusedAs(answer);
  return { entry: entryOf(answer), receipt: sealedSchema.parse(JSON.parse(answer.receipt ?? "")) };
}

function closing(): ExhibitError {
  return new ExhibitError("unavailable.busy", "The server is stopping.", {
    hint: "Try again in a moment; what has arrived is kept.",
  });
}
