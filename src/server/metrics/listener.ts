import { createServer, type Server } from "node:http";
import type { Registry } from "prom-client";

/** Answers `GET /metrics` and nothing else, on an address of its own: numbers are no business of those who reach the server. */
export function metricsListener(registry: Registry, onFailure: (error: Error) => void): Server {
  return createServer((request, answer) => {
    if (request.method !== "GET" || request.url !== "/metrics") {
      answer.writeHead(404).end();
      return;
    }
    registry.metrics().then(
      (text) => {
        answer.writeHead(200, {
          "content-type": registry.contentType,
          "cache-control": "no-store",
        });
        answer.end(text);
      },
      (error: unknown) => {
        onFailure(error as Error);
        answer.writeHead(503).end();
      },
    );
  });
}
