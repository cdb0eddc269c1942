import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from "@jest/globals";
import type { User } from "../support/box/accounts/users.ts";
import type { Answer } from "../support/box/http/answer.ts";
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

describe("a share's end", () => {
  it("is moved with the link staying the same", async () => {
    const made = await desk.make({ recipient: colleague });
    const { share } = await desk.sharing().update(made.share.id, desk.inDays(30), soon());
    expect(Date.parse(share.expiresAt) - Date.parse(made.share.expiresAt)).toBeGreaterThan(
      20 * day,
    );
    await desk.office.box.clock.later(20 * day, async () => {
      expect(await desk.resolve(desk.colleagueUser, made.link)).toBe(200);
    });
    const coded = await desk.make();
    await desk.sharing().update(coded.share.id, desk.inDays(1), soon());
    expect(await desk.visit(coded.link, coded.code)).toMatchObject({ status: 200 });
    expect(await desk.visit(coded.link)).toMatchObject({ status: 403 });
    await desk.office.box.clock.later(2 * day, async () => {
      expect(await desk.visit(coded.link, coded.code)).toMatchObject({ status: 404 });
    });
  });

  it("is now, where Box made the link wider on giving it another: nothing of the share is left", async () => {
    const made = await desk.make({ recipient: colleague });
    desk.office.box.faults.next({
      method: "GET",
      path: /^\/2\.0\/folders\/\d+$/,
      // The link is found as it was left; once it has its new end it seems to have none.
      after: 1,
      alter: (answer) => {
        const { shared_link, ...rest } = answer.json as Record<string, Record<string, unknown>>;
        return { ...answer, json: { ...rest, shared_link: { ...shared_link, unshared_at: null } } };
      },
    });
    await expect(
      desk.sharing().update(made.share.id, desk.inDays(20), soon()),
    ).rejects.toMatchObject({ code: "policy.not-permitted" });
    expect(desk.office.box.faults.pending).toBe(0);
    expect(desk.office.access()).toEqual({ links: 0, invitations: 0, copies: 0 });
    expect(await desk.sharing().show(made.share.id, soon())).toMatchObject({ state: "revoked" });
  });

  it("is the link's own for who was invited, where Box ends the link sooner", async () => {
    const sooner = new Date(Date.now() + 2 * day).toISOString().replace(/\.\d+Z$/, "Z");
    desk.office.box.faults.next({
      method: "GET",
      path: /^\/2\.0\/folders\/\d+$/,
      alter: (answer) => {
        const { shared_link, ...rest } = answer.json as Record<string, Record<string, unknown>>;
        return {
          ...answer,
          json: {
            ...rest,
            shared_link: shared_link && { ...shared_link, unshared_at: sooner },
          },
        };
      },
      times: 2,
    });
    const made = await desk.make({ recipient: colleague });
    desk.office.box.faults.clear();
    expect(Date.parse(made.share.expiresAt)).toBe(Date.parse(sooner));
    expect(made.warnings).toContainEqual(expect.stringContaining("sooner than was asked for"));
    const invited = desk.office.box.world.collaborations
      .all()
      .find(({ user }) => user === desk.colleagueUser);
    expect(invited?.expiresAt?.getTime()).toBe(Date.parse(sooner));
    await desk.sharing().revoke(made.share.id, undefined, soon());
  });

  it("is moved again after an update that was cut off", async () => {
    const made = await desk.make();
    desk.office.box.faults.next({
      method: "POST",
      path: /files\/content/,
      after: 1,
      times: 9,
      answer: failure(403, "forbidden", "no"),
    });
    await expect(
      desk.sharing().update(made.share.id, desk.inDays(3), soon()),
    ).rejects.toHaveProperty("code");
    desk.office.box.faults.clear();
    await desk.sharing().update(made.share.id, desk.inDays(4), soon());
    expect(await desk.sharing().show(made.share.id, soon())).toMatchObject({ state: "open" });
  });

  it.each<[string, (itemId: string) => Promise<unknown>]>([
    [
      "made anew",
      async (id) => {
        await desk.office.ask(desk.otherOfficer, "PUT", `/files/${id}?fields=shared_link`, {
          shared_link: null,
        });
        await desk.office.ask(desk.otherOfficer, "PUT", `/files/${id}?fields=shared_link`, {
          shared_link: { access: "open" },
        });
      },
    ],
    [
      "given another end",
      (id) =>
        desk.office.ask(desk.otherOfficer, "PUT", `/files/${id}?fields=shared_link`, {
          shared_link: { access: "open", unshared_at: desk.inDays(50) },
        }),
    ],
    [
      "opened without a code",
      (id) =>
        desk.office.ask(desk.otherOfficer, "PUT", `/files/${id}?fields=shared_link`, {
          shared_link: { access: "open", password: null },
        }),
    ],
  ])(
    "is not moved for a link that another officer has %s, and revoking still cuts it",
    async (_, change) => {
      const made = await desk.make();
      const copy = [...desk.office.box.world.tree.files.values()].find(
        ({ link }) => link !== undefined,
      );
      await change(copy?.id ?? "");
      const link = copy?.link;
      const before = { ...link };
      await expect(
        desk.sharing().update(made.share.id, desk.inDays(3), soon()),
      ).rejects.toMatchObject({
        code: "conflict.share-changed",
      });
      expect({ ...copy?.link }).toEqual(before);
      await desk.sharing().revoke(made.share.id, undefined, soon());
    },
  );

  it("and the share itself are its own officer's; another one sees it, and may not touch it", async () => {
    const made = await desk.make();
    const { box } = desk.office;
    const theirs = desk.sharing(desk.otherOfficer);
    const refused = { code: "policy.role", facts: { createdBy: box.users.officer.id } };
    await expect(theirs.update(made.share.id, desk.inDays(3), soon())).rejects.toMatchObject(
      refused,
    );
    await expect(theirs.revoke(made.share.id, undefined, soon())).rejects.toMatchObject(refused);
    expect((await theirs.list(soon())).map(({ id }) => id)).not.toContain(made.share.id);
    expect(await theirs.show(made.share.id, soon())).toMatchObject({ state: "open" });
    await expect(theirs.show("S222222222", soon())).rejects.toMatchObject({
      code: "not-found.share",
    });
  });

  it("is moved once by two at once, or by both, never wrongly", async () => {
    const made = await desk.make();
    const ends = [desk.inDays(3), desk.inDays(5)];
    const both = await Promise.allSettled(
      ends.map((end) => desk.sharing().update(made.share.id, end, soon())),
    );
    expect(both.map(({ status }) => status)).toContain("fulfilled");
    for (const one of both) {
      if (one.status === "rejected")
        expect(one.reason).toMatchObject({ code: "conflict.share-changed" });
    }
    expect(await desk.visit(made.link, made.code)).toMatchObject({ status: 200 });
  });
});

describe("originals in Box", () => {
  it("are given by invitation to each exhibit's own folder, and taken back", async () => {
    const { partner } = desk.office.box.users;
    const recipient = { name: "Pat Partner", email: partner.login };
    const made = await desk.make({
      access: "original",
      exhibits: [desk.photo, desk.tape],
      recipient,
    });
    expect(made.code).toBeUndefined();
    const links = [made.link, ...(made.furtherLinks ?? [])];
    expect(links).toHaveLength(2);
    for (const link of links) {
      const [, id = ""] = /\/folder\/(\d+)$/.exec(link) ?? [];
      expect(link).toBe(`${desk.office.box.authorizeUrl}/folder/${id}`);
      expect((await desk.office.ask(partner, "GET", `/folders/${id}/items`)).status).toBe(200);
    }
    expect(
      desk.office.box.world.collaborations.all().filter(({ user }) => user === partner),
    ).toMatchObject([
      { role: "viewer", item: { name: expect.stringContaining("TST_") } },
      { role: "viewer" },
    ]);
    await desk.sharing().revoke(made.share.id, desk.tape.id, soon());
    expect(desk.office.access()).toMatchObject({ invitations: 1 });
    await desk.sharing().revoke(made.share.id, undefined, soon());
    const [, first = ""] = /\/folder\/(\d+)$/.exec(made.link) ?? [];
    expect((await desk.office.ask(partner, "GET", `/folders/${first}`)).status).toBe(404);
  });

  it.each([
    ["invitations cannot end", { collaborationExpiry: false }],
    ["nobody outside may be invited", { externalCollaboration: false }],
  ])("are refused where %s, with the setting's name", async (_, settings) => {
    Object.assign(desk.office.box.settings, settings);
    const failed = desk.make({ access: "original" });
    await expect(failed).rejects.toMatchObject({
      code: "policy.not-permitted",
      hint: expect.stringContaining("Automatically remove invited collaborators"),
    });
  });

  it.each<[400 | 409, string, () => User | undefined]>([
    [400, "another officer", () => desk.otherOfficer],
    [409, "another officer", () => desk.otherOfficer],
    [409, "the same officer", () => undefined],
  ])(
    "are refused for who has access already (%d, from %s), which stays as it is",
    async (status, _, by) => {
      desk.office.box.settings.collaborationConflict = status;
      const { partner } = desk.office.box.users;
      const recipient = { name: "Pat", email: partner.login };
      const first = await desk.make({ access: "original", recipient });
      const before = desk.office.box.world.collaborations
        .all()
        .map(({ id, expiresAt }) => [id, expiresAt]);
      const second = desk.sharing(by()).create(
        {
          exhibits: [desk.tape, desk.photo],
          recipient,
          access: "original",
          expiresAt: desk.inDays(60),
          purpose: undefined,
        },
        soon(),
      );
      await expect(second).rejects.toMatchObject({ code: "conflict.exists" });
      expect(
        desk.office.box.world.collaborations.all().map(({ id, expiresAt }) => [id, expiresAt]),
      ).toEqual(before);
      await desk.sharing().revoke(first.share.id, undefined, soon());
    },
  );

  it("are given once where two ask for the same at one moment, and the other is refused", async () => {
    const { partner } = desk.office.box.users;
    const recipient = { name: "Pat Partner", email: partner.login };
    const { faults } = desk.office.box;
    // Both find nobody invited before either invites; and whoever is refused has taken down what it made before the other is complete.
    let looked = 0;
    const bothLooked = new Promise<void>((resolve) => {
      const alter = (answer: Answer): Answer => {
        looked += 1;
        if (looked === 2) resolve();
        return answer;
      };
      faults.next({ method: "GET", path: /collaborations$/, alter, times: 2 });
    });
    faults.next({ method: "POST", path: /collaborations$/, hold: bothLooked, times: 2 });
    let settled = (): void => undefined;
    const hold = new Promise<void>((resolve) => (settled = resolve));
    faults.next({ method: "POST", path: /files\/content$/, after: 2, hold });
    const ask = () => desk.make({ access: "original", recipient }).finally(settled);
    const outcomes = await Promise.allSettled([ask(), ask()]);
    faults.clear();
    const made = outcomes.filter(({ status }) => status === "fulfilled");
    expect(made).toHaveLength(1);
    for (const one of outcomes) {
      if (one.status === "rejected") expect(one.reason).toMatchObject({ code: "conflict.exists" });
    }
    expect(desk.office.access()).toMatchObject({ invitations: 1 });
    const open = (await desk.sharing().list(soon())).filter(({ state }) => state === "open");
    expect(open).toHaveLength(1);
  });

  it("stay with a later share when one that was never finished is revoked", async () => {
    // Nobody can be invited, nor can it be found out who was: so it is not known that nothing is there.
    const answer = failure(403, "forbidden", "no");
    const path = /collaborations/;
    desk.office.box.faults.next({ method: "POST", path, answer });
    desk.office.box.faults.next({ method: "GET", path, after: 1, times: 10_000, answer });
    await expect(desk.make({ access: "original" })).rejects.toHaveProperty("code");
    desk.office.box.faults.clear();
    const unfinished = (await desk.sharing().list(soon())).filter(
      ({ state }) => state === "unfinished",
    );
    expect(unfinished).toHaveLength(1);
    await desk.make({ access: "original" });
    for (const { id } of unfinished) await desk.sharing().revoke(id, undefined, soon());
    expect(desk.office.access()).toMatchObject({ invitations: 1 });
  });
});
