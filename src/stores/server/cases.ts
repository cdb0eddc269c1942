import type { Cases } from "../../evidence/ports/cases.ts";
import {
  caseExhibitPageSchema,
  caseExhibitsPath,
  caseSharePageSchema,
  caseSharesPath,
} from "../../protocol/cases.ts";
import { aboutAnother } from "./register.ts";
import type { Session } from "./session.ts";
import { valid } from "./valid-answer.ts";

/** The cases of an exhibit server, as far as the session's identity may see them. */
export function casesOf(session: Session): Cases {
  return {
    exhibits: (caseRef, signal) =>
      itemsOf(async (after) => {
        const body = await page(session, caseExhibitsPath, caseRef, after, signal);
        const { exhibits: items, next } = valid(caseExhibitPageSchema, body);
        return { items, next };
      }),
    shares: (caseRef, signal) =>
      itemsOf(async (after) => {
        const body = await page(session, caseSharesPath, caseRef, after, signal);
        const { shares: items, next } = valid(caseSharePageSchema, body);
        return { items, next };
      }),
  };
}

async function page(
  session: Session,
  path: string,
  caseRef: string,
  after: string | undefined,
  signal: AbortSignal,
): Promise<unknown> {
  const query = { case: caseRef, ...(after === undefined ? {} : { after }) };
  return (await session.call({ method: "GET", path, query }, signal)).body;
}

/** Page after page, until there is no next one. */
async function* itemsOf<Item>(
  ask: (after: string | undefined) => Promise<{ items: readonly Item[]; next: string | undefined }>,
): AsyncGenerator<Item, void> {
  let after: string | undefined;
  do {
    const { items, next } = await ask(after);
    if (next !== undefined && next === after) throw aboutAnother();
    yield* items;
    after = next;
  } while (after !== undefined);
}
