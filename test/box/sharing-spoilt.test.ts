import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from "@jest/globals";
import { failure } from "../support/box/http/faults.ts";
import { colleague, day, openShareDesk, type ShareDesk } from "../support/box-shares.ts";
import { soon } from "../support/server.ts";

jest.setTimeout(120_000);

let desk: ShareDesk;
beforeAll(async () => {
  desk = await openShareDesk();
});
afterEach(() => desk.clear());
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
    await newVersion(id);
    const listed = await desk.sharing().list(soon());
    expect(listed.find((one) => one.id === made.share.id)).toMatchObject({ state });
    expect(listed.find((one) => one.id === other.share.id)).toMatchObject({ state: "open" });
    const { notes } = await desk.sharing().log(made.share.id, soon());
    expect(notes.join(" ")).toMatch(/is not what was written, and does not count/);
    await desk.sharing().revoke(made.share.id, undefined, soon());
    expect(await desk.visit(made.link, made.code)).toMatchObject({ status: 404 });
    expect(await desk.visit(other.link, other.code)).toMatchObject({ status: 200 });
  });
});

describe("a copy that somebody moved elsewhere in Box", () => {
  it.each([
    ["goes with the share when nobody has changed it", undefined, 0],
    ["stays where somebody has changed it, which is said", "changed", 1],
    ["stays where somebody has renamed it, which is said", "renamed", 1],
  ] as const)("%s", async (_, change, notes) => {
    const made = await desk.make({ exhibits: [desk.tape] });
    const { box } = desk.office;
    const [copy] = [...box.world.tree.files.values()].filter(
      ({ parent }) => parent.name === "copies",
    );
    const id = copy?.id ?? "";
    const elsewhere = box.folder(box.users.officer, "Elsewhere");
    const moved = { parent: { id: elsewhere }, ...(change === "renamed" ? { name: "x" } : {}) };
    expect((await desk.office.ask(box.users.officer, "PUT", `/files/${id}`, moved)).status).toBe(
      200,
    );
    if (change === "changed") await newVersion(id);
    const revoked = await desk.sharing().revoke(made.share.id, undefined, soon());
    expect(revoked.notes).toHaveLength(notes);
    for (const note of revoked.notes ?? []) expect(note).toContain(id);
    expect(box.world.tree.files.has(id)).toBe(notes === 1);
    box.world.tree.files.delete(id);
  });
});

describe("a share that has ended by itself", () => {
  it("loses its copies and invitations with the next list of its officer's shares, and says so once", async () => {
    const { clock, faults } = desk.office.box;
    const coded = await desk.make({ exhibits: [desk.photo, desk.tape], expiresAt: desk.inDays(2) });
    const invited = await desk.make({ recipient: colleague, expiresAt: desk.inDays(3) });
    const open = await desk.make({ expiresAt: desk.inDays(30) });
    await clock.later(2 * day + 60_000, async () => {
      expect(await desk.sharing(desk.otherOfficer).clearEnded(soon())).toEqual([]);
      expect(desk.office.access()).toMatchObject({ copies: 5 });
      const answer = failure(403, "forbidden", "no");
      faults.next({ method: "DELETE", path: /files/, answer });
      expect(await desk.sharing().clearEnded(soon())).toEqual([
        expect.stringMatching(`Share ${coded.share.id} .* not be taken away yet`) as unknown,
      ]);
      const now = desk.sharing();
      await now.list(soon());
      const [told, ...more] = await now.clearEnded(soon());
      expect([told, more]).toEqual([expect.stringContaining(coded.share.id), []]);
      expect(desk.office.access()).toEqual({ links: 2, invitations: 1, copies: 2 });
    });
    await clock.later(5 * day, async () => {
      expect((await desk.sharing().clearEnded(soon())).join()).toContain(invited.share.id);
      expect(await desk.sharing().clearEnded(soon())).toEqual([]);
      expect(desk.office.access()).toEqual({ links: 1, invitations: 0, copies: 1 });
      expect(await desk.sharing().show(coded.share.id, soon())).toMatchObject({ state: "expired" });
      const { events } = await desk.sharing().log(coded.share.id, soon());
      expect(events.map(({ kind }) => kind)).toContain("share-cleared");
      expect(await desk.visit(open.link, open.code)).toMatchObject({ status: 200 });
    });
  });

  it("is waited for by Box's clock: what Box still shows is not cleared because ours is fast", async () => {
    const made = await desk.make({ expiresAt: desk.inDays(2) });
    const fast = desk.sharing(undefined, {
      now: () => new Date(desk.office.box.clock.now().getTime() + 2 * day + 3_600_000),
    });
    expect(await fast.clearEnded(soon())).toEqual([]);
    expect(await desk.visit(made.link, made.code)).toMatchObject({ status: 200 });
  });
});

/** Gives a file other content, under the name that it has. */
async function newVersion(id: string): Promise<void> {
  const { box } = desk.office;
  const form = new FormData();
  form.set("attributes", JSON.stringify({}));
  form.set("file", new Blob(["not what was written"]));
  const answer = await fetch(`${box.uploadUrl}/api/2.0/files/${id}/content`, {
    method: "POST",
    headers: { authorization: `Bearer ${box.developerToken(box.users.officer)}` },
    body: form,
  });
  expect(answer.status).toBe(200);
}
