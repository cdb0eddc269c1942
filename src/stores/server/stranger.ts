import { request } from "undici";
import { sha256Of } from "../../evidence/digest.ts";
import { ExhibitError } from "../../evidence/errors.ts";
import type { SharedFile, Stranger } from "../../evidence/ports/smoke-room.ts";
import type { Route } from "../network.ts";
import { unreachable } from "../unreachable.ts";

/** A page or a copy is far shorter; nothing longer is read. */
const longestAnswerBytes = 64 * 1024 * 1024;

interface Seen {
  readonly status: number;
  readonly type: string;
  readonly cookie: string | undefined;
  readonly body: Buffer;
}

interface Asking {
  readonly cookie?: string | undefined;
  readonly code?: string;
}

/** Opens links of exhibit servers as a browser does, without this machine's identity. Follows nothing by itself. */
export function strangerBy(routeTo: (url: string) => Route): Stranger {
  async function ask(url: string, { cookie, code }: Asking, signal: AbortSignal): Promise<Seen> {
    const form = code === undefined ? undefined : new URLSearchParams({ code }).toString();
    try {
      const answer = await request(url, {
        dispatcher: routeTo(url).dispatcher,
        method: form === undefined ? "GET" : "POST",
        headers: {
          "user-agent": "exhibit smoke",
          ...(cookie === undefined ? {} : { cookie }),
          ...(form === undefined ? {} : { "content-type": "application/x-www-form-urlencoded" }),
        },
        ...(form === undefined ? {} : { body: form }),
        signal,
      });
      const [set] = [answer.headers["set-cookie"] ?? []].flat();
      return {
        status: answer.statusCode,
        type: String(answer.headers["content-type"] ?? ""),
        cookie: set?.split(";")[0],
        body: await bounded(answer.body),
      };
    } catch (error) {
      signal.throwIfAborted();
      // The link is a secret: only its host is told.
      throw error instanceof ExhibitError ? error : unreachable(error as Error, url);
    }
  }

  return {
    async open(link, code, file, signal) {
      const before = await ask(link, {}, signal);
      if (before.status >= 500) throw inTrouble(before.status);
      expect(
        before.status === 200 && before.body.toString().includes('name="code"'),
        "no code is asked for",
      );
      const given = await ask(link, { code }, signal);
      expect(given.status === 303 && given.cookie !== undefined, "the code does not open it");
      const { cookie } = given;
      const page = await ask(link, { cookie }, signal);
      const picture = pictureOf(link, file);
      const isShown = page.body
        .toString()
        .includes(`x/${file.exhibit}/${file.ordinal}/picture.jpg`);
      expect(page.status === 200 && isShown, "its page does not show the picture");
      const copy = await ask(picture, { cookie }, signal);
      if (copy.status >= 500) throw inTrouble(copy.status);
      const isPicture = copy.status === 200 && copy.type.startsWith("image/jpeg");
      expect(isPicture && copy.body.length > 0, "no marked copy comes");
      expect(
        sha256Of(copy.body) !== file.masterSha256,
        "the original came instead of a marked copy",
      );
      return {
        copyBytes: copy.body.length,
        async requireDead(stop) {
          for (const url of [link, picture]) {
            const { status } = await ask(url, { cookie }, stop);
            expect(status >= 400 && status < 500, "it still opens after it was revoked");
          }
          const again = await ask(link, { code }, stop);
          if (again.status >= 500) throw inTrouble(again.status);
          expect(again.status === 403 && again.cookie === undefined, "its code still opens it");
        },
      };
    },
  };
}

function pictureOf(link: string, { exhibit, ordinal }: SharedFile): string {
  return `${link}/x/${exhibit}/${ordinal}/picture.jpg`;
}

async function bounded(body: AsyncIterable<Buffer>): Promise<Buffer> {
  const pieces: Buffer[] = [];
  let length = 0;
  for await (const piece of body) {
    length += piece.length;
    if (length > longestAnswerBytes) throw inTrouble(200);
    pieces.push(piece);
  }
  return Buffer.concat(pieces);
}

/** @throws ExhibitError `integrity.mismatch` */
function expect(isSo: boolean, otherwise: string): void {
  if (isSo) return;
  throw new ExhibitError(
    "integrity.mismatch",
    `The share's link is not as it should be: ${otherwise}.`,
    {
      hint: "Share nothing until that is understood: tell the server's administrator.",
    },
  );
}

function inTrouble(status: number): ExhibitError {
  return new ExhibitError("unavailable.store", `The share's page answered with status ${status}.`, {
    hint: "The server, or a proxy before it, is in trouble: see its log.",
    facts: { status },
  });
}
