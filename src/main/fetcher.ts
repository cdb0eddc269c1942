import { rootCertificates } from "node:tls";
import type { Settings } from "../cli/context.ts";
import type { Fetcher } from "../evidence/ports/fetcher.ts";
import { sealedSpools } from "../platform/fetching/sealed-spools.ts";
import type { MachineNetwork } from "../platform/network.ts";
import type { MachinePaths } from "../platform/paths.ts";

/** So long a partner's host may send nothing. */
const stallMs = 60_000;

/** Brings links in over this machine's network, from the hosts that its settings allow. Loaded when the first link is fetched. */
export function fetcherOn(
  paths: MachinePaths,
  { network, caPem }: { readonly network: MachineNetwork; readonly caPem: string | undefined },
  { version, settings }: { readonly version: string; readonly settings: Settings },
): Fetcher {
  return {
    ...sealedSpools(paths.fetchesDir),
    async fetch(order, onEvent, signal) {
      const { allowedHosts } = await import("../platform/fetching/allowed-hosts.ts");
      const { webFetcher } = await import("../platform/fetching/fetcher.ts");
      const fetcher = webFetcher({
        folder: paths.fetchesDir,
        hosts: allowedHosts(settings.fetchHosts, "--allow-host"),
        routes: {
          ca: caPem === undefined ? undefined : [...rootCertificates, caPem],
          proxyFor: ({ href }) =>
            network.isProxied(href) ? network.route(href).agent.https : undefined,
          userAgent: `exhibit/${version}`,
          stallMs,
        },
        now: () => new Date(),
        baseMs: 1000,
      });
      return fetcher.fetch(order, onEvent, signal);
    },
  };
}
