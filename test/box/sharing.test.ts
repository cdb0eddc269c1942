import { afterAll, afterEach, beforeAll, describe, expect, it } from "@jest/globals";
import { shareSchema } from "../../src/evidence/share.ts";
import type { NewShare, ShareRequest, Sharing } from "../../src/evidence/ports/sharing.ts";
import type { User } from "../support/box/accounts/users.ts";
import { call, film, openBoxOffice, picture, type BoxOffice } from "../support/box-office.ts";
import { soon } from "../support/server.ts";

const day = 86_400_000;
const outsider = { name: "Jane Smith", email: "jane.smith@cps.example" };
const colleague = { name: "Cole League", email: "colleague@force.example" };

let office: BoxOffice;
let colleagueUser: User;
let photo: ShareRequest["exhibits"][number];
let tape: ShareRequest["exhibits"][number];

beforeAll(async () => {
  office = await openBoxOffice();
  colleagueUser = office.box.addUser({ name: colleague.name, login: colleague.email });
  photo = await office.exhibit(picture);
  tape = await office.exhibit(film, picture);
});
afterAll(async () => {
  expect(office.box.violations.filter(({ agent }) => agent.startsWith("exhibit"))).toEqual([]);
  expect(office.box.crashes).toEqual([]);
  await office.close();
});
afterEach(() => {
  office.box.faults.clear();
});

function sharing(user?: User): Sharing {
  const { sharing: found } = office.as(user);
  if (found === undefined) throw new Error("no sharing");
  return found;
}

function wanted(changes: Partial<ShareRequest> = {}): ShareRequest {
  return {
    exhibits: [photo],
    recipient: outsider,
    access: "view",
    expiresAt: new Date(office.box.clock.now().getTime() + 7 * day).toISOString(),
    purpose: "Charging decision",
    ...changes,
  };
}

function make(changes: Partial<ShareRequest> = {}, by?: User): Promise<NewShare> {
  return sharing(by).create(wanted(changes), soon());
}

/** What somebody in a browser, who is signed in nowhere, sees of a link. */
async function visit(link: string, code?: string): Promise<{ status: number; text: string }> {
  const url = new URL(link);
  if (code !== undefined) url.searchParams.set("password", code);
  const answer = await fetch(url);
  return { status: answer.status, text: await answer.text() };
}

describe("a share for viewing", () => {
  it("is a watermarked copy behind a link with a code, of which Box holds no name", async () => {
    const made = await make();
    expect(shareSchema.parse(made.share)).toEqual(made.share);
    console.log(made, office.paths());
    expect(await visit(made.link)).toMatchObject({ status: 403 });
    expect(await visit(made.link, made.code)).toMatchObject({
      status: 200,
      text: expect.stringContaining("with a watermark"),
    });
    console.log(await sharing().log(made.share.id, soon()));
    console.log(await sharing().revoke(made.share.id, undefined, soon()), office.paths());
    expect(await visit(made.link, made.code)).toMatchObject({ status: 404 });
    console.log(await sharing().list(soon()), tape, call, colleagueUser);
  });
});
