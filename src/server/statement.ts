import type { FastifyInstance } from "fastify";
import { z } from "zod";
import { seal } from "../evidence/seal.ts";
import { bundleLimits } from "../protocol/bundles.ts";
import {
  serverStatementPath,
  serverStatementType,
  type ServerStatement,
} from "../protocol/server-statement.ts";
import { serverKeysPath } from "../protocol/server-keys.ts";
import { issuerOf, strangersLimit } from "./access.ts";
import type { ServerDeps } from "./deps.ts";

const queryShape = z.strictObject({ nonce: z.string().regex(/^[A-Za-z0-9_-]{16,128}$/) });

/**
 * `GET /v1/server?nonce=N`: the sealed statement of who this server is.
 * `GET /.well-known/exhibit-keys.json`: the key it signs with now, those it signed with once, and how each handed on to the next
 * (`protocol/server-keys.ts`).
 */
export function statementRoutes(app: FastifyInstance, deps: ServerDeps): void {
  const { key, retiredKeys, rotations, settings, content, clock, sso } = deps;

  const config = { access: "public", rateLimit: strangersLimit } as const;
  app.get(serverStatementPath, { config }, async (request) => {
    const { nonce } = queryShape.parse(request.query);
    const { parts, maxPutBytes, maxObjectBytes } = content.capabilities;
    const statement: ServerStatement = {
      schema: serverStatementType,
      nonce,
      at: clock.now().toISOString(),
      publicUrl: settings.publicUrl,
      issuer: issuerOf(settings.publicUrl),
      ...(sso === undefined
        ? {}
        : { provider: { issuer: sso.issuer, clientId: sso.clientId, scopes: [...sso.scopes] } }),
      organisation: settings.organisation,
      version: settings.version,
      key: key.publicJwk,
      thumbprint: key.thumbprint,
      ...(retiredKeys.length === 0
        ? {}
        : {
            retired: retiredKeys.map(({ publicJwk, retiredAt }) => ({ key: publicJwk, retiredAt })),
          }),
      limits: {
        partLengths: parts.lengths,
        minPartBytes: parts.minBytes,
        maxPartBytes: parts.maxBytes,
        maxParts: parts.maxParts,
        maxPutBytes,
        maxObjectBytes,
        ...(deps.grouped === undefined ? {} : { bundles: bundleLimits }),
      },
    };
    return seal(statement, serverStatementType, key);
  });

  app.get(serverKeysPath, { config }, () => ({
    keys: [
      { ...key.publicJwk, kid: key.thumbprint },
      ...retiredKeys.map((old) => ({
        ...old.publicJwk,
        kid: old.thumbprint,
        retiredAt: old.retiredAt,
      })),
    ],
    rotations,
  }));
}
