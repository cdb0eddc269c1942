import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { issuerOf, strangersLimit } from "../access.ts";
import type { ServerDeps } from "../deps.ts";
import { authorisationServer } from "./authorisation-server.ts";

/** What of oidc-provider can be reached: nothing else is a route. */
const endpoints = [
  ["GET", "/.well-known/openid-configuration"],
  ["GET", "/jwks"],
  ["POST", "/token"],
  ["POST", "/reg"],
  ["GET", "/reg/:clientId"],
  ["DELETE", "/reg/:clientId"],
] as const;

/** Mounts the authorisation server at `/oauth`, with request bodies unparsed, as it wants them. */
export function mountOauth(app: FastifyInstance, deps: ServerDeps): void {
  const issuer = new URL(issuerOf(deps.settings.publicUrl));
  const provider = authorisationServer(deps);
  const answer = provider.callback();
  provider.on("server_error", (ctx, error) => {
    const where = error.stack?.split("\n").filter((line) => /^\s+at /.test(line));
    app.log.error({ errorName: error.name, route: ctx.oidc.route, where }, "sign-in failed");
  });

  app.removeAllContentTypeParsers();
  app.addContentTypeParser("*", (_request, _payload, done) => {
    done(null);
  });
  for (const [method, path] of endpoints) {
    app.route({
      method,
      url: `/oauth${path}`,
      exposeHeadRoute: false,
      config: { access: "public", rateLimit: strangersLimit },
      handler: handOver,
    });
  }

  async function handOver(request: FastifyRequest, reply: FastifyReply): Promise<void> {
    const { raw } = request;
    const url = raw.url?.slice("/oauth".length) ?? "/";
    // Addresses in its answers come from the public URL, never from what a client sends along.
    raw.headers["x-forwarded-host"] = issuer.host;
    raw.headers["x-forwarded-proto"] = issuer.protocol.slice(0, -1);
    delete raw.headers["x-forwarded-for"];
    Object.assign(raw, { url, originalUrl: `${issuer.pathname}${url}` });
    for (const [name, value] of Object.entries(reply.getHeaders())) {
      if (value !== undefined) reply.raw.setHeader(name, value);
    }
    reply.hijack();
    await answer(raw, reply.raw);
  }
}
