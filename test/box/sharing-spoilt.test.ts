import { afterAll, beforeAll, describe, expect, it, jest } from "@jest/globals";
import { openShareDesk, type ShareDesk } from "../support/box-shares.ts";
import { soon } from "../support/server.ts";

jest.setTimeout(120_000);

let desk: ShareDesk;
beforeAll(async () => {
  desk = await openShareDesk();
});
afterAll(() => desk.close());

describe("a share of which somebody changed a document in Box", () => {
  it.each([
    ["share.json", "unfinished"],
    ["intent.json", "open"],
    ["the log", "open"],
  ] as const)("%s: it can be seen and cut off, and so can all others", async (name, state) => {
    const other = await desk.make();
    const made = await desk.make();
    const { box, root } = desk.office;
    const folder = `${root}/.shares/${made.share.id}/`;
    const [, { id = "" } = {}] =
      [...box.tree()].find(
        ([path]) =>
          path === `${folder}${name}` || (name === "the log" && path.startsWith(`${folder}log-`)),
      ) ?? [];
    const changed = await fetch(`${box.uploadUrl}/api/2.0/files/${id}/content`, {
      method: "POST",
      headers: { authorization: `Bearer ${box.developerToken(box.users.officer)}` },
      body: versionOnly(),
    });
    expect(changed.status).toBe(200);
    const listed = await desk.sharing().list(soon());
    expect(listed.find((one) => one.id === made.share.id)).toMatchObject({ state });
    expect(listed.find((one) => one.id === other.share.id)).toMatchObject({ state: "open" });
    const { notes } = await desk.sharing().log(made.share.id, soon());
    expect(notes.join(" ")).toMatch(/is not what was written, and does not count/);
    await desk.sharing().revoke(made.share.id, undefined, soon());
    expect(await desk.visit(made.link, made.code)).toMatchObject({ status: 404 });
    expect(await desk.visit(other.link, other.code)).toMatchObject({ status: 200 });
  });

  /** A new version under the name that the file has. */
  function versionOnly(): FormData {
    const form = new FormData();
    form.set("attributes", JSON.stringify({}));
    form.set("file", new Blob(["not what was written"]));
    return form;
  }
});
