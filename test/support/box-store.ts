import { openNetwork } from "../../src/platform/network.ts";
import type { BoxApi } from "../../src/stores/box/api.ts";
import { boxLimits, type BoxLimits } from "../../src/stores/box/capabilities.ts";
import { Files } from "../../src/stores/box/files.ts";
import { openBox } from "../../src/stores/box/open-box.ts";
import { boxStore } from "../../src/stores/box/store.ts";
import type { Tokens } from "../../src/stores/sign-in/shared-token.ts";
import type { Store } from "../../src/evidence/ports/store.ts";
import type { User } from "./box/accounts/users.ts";
import type { Box } from "./box/box.ts";
import { unlimited } from "./unlimited.ts";

/** A folder in a simulated Box, opened as one of its users as often as one likes: each time as another process would. */
export interface BoxFolder {
  readonly url: string;
  api(): BoxApi;
  open(): Store;
  close(): Promise<void>;
}

/** A proxy that leads Box's own names to the simulator, and what stands in the store's address. */
export interface Through {
  readonly proxyUrl: string;
  readonly query: string;
}

/** Tests store more in a minute than Box would let them. */
export const unhurried: BoxLimits = { ...boxLimits, uploadsPerMinute: 1_000_000 };

export function boxFolder(
  box: Box,
  path: string,
  {
    user = box.users.officer,
    limits = unhurried,
    through,
  }: { user?: User; limits?: BoxLimits; through?: Through } = {},
): BoxFolder {
  const network = openNetwork({
    proxyUrl: through?.proxyUrl,
    noProxy: undefined,
    caPem: box.caPem,
    pace: unlimited,
  });
  const id = box.folder(box.users.officer, path);
  const url = through === undefined ? addressOf(box, id) : `box:${id}${through.query}`;
  const api = (): BoxApi =>
    openBox(url, { network, toolVersion: "0.0.0-test" }, developerTokens(box, user), limits);
  return {
    url,
    api,
    open: () => boxStore(new Files(api()), box.clock, limits),
    close: () => network.close(),
  };
}

/** How a folder of a simulated Box is written in the configuration. */
export function addressOf(box: Box, folderId: string): string {
  return `box:${folderId}?api=${box.apiUrl}&upload=${box.uploadUrl}&authorize=${box.authorizeUrl}`;
}

/** Tokens as the developer console hands them out; a new one where one was refused. */
export function developerTokens(box: Box, user: User): Tokens {
  let token = box.developerToken(user);
  return {
    token: (_, refused) => {
      if (refused === token) token = box.developerToken(user);
      return Promise.resolve(token);
    },
  };
}
