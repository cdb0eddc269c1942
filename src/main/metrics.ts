import type { AddressInfo } from "node:net";
import type { ServerDeps } from "../server/deps.ts";
import type { Metrics } from "../server/metrics/metrics.ts";
import { listen } from "./listen.ts";

/** Metrics, and the listener of their own that answers them. */
export interface ListeningMetrics {
  readonly metrics: Metrics;
  listen(): Promise<void>;
  url(): string;
  close(): void;
}

/** Prepares the answering of `GET /metrics` at an address apart. What it needs is loaded only for who wants it. */
export async function openMetricsAt(
  { host, port }: { readonly host: string; readonly port: number },
  deps: ServerDeps,
  onFailure: (error: Error) => void,
): Promise<ListeningMetrics> {
  const { openMetrics } = await import("../server/metrics/metrics.ts");
  const { addStateMetrics } = await import("../server/metrics/state-metrics.ts");
  const { metricsListener } = await import("../server/metrics/listener.ts");
  const metrics = openMetrics();
  addStateMetrics(metrics.registry, deps);
  const server = metricsListener(metrics.registry, onFailure);
  const start = (): Promise<void> =>
    new Promise((resolve, reject) => {
      server.once("error", reject).listen(port, host, resolve);
    });
  return {
    metrics,
    listen: () => listen(start, host, port, "Choose another with --metrics-address."),
    url() {
      const { address, family, port: taken } = server.address() as AddressInfo;
      return `http://${family === "IPv6" ? `[${address}]` : address}:${taken}/metrics`;
    },
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}
