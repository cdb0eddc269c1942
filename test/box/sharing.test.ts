import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from "@jest/globals";
import type { ErrorCode } from "../../src/evidence/errors.ts";
import type { ShareRequest } from "../../src/evidence/ports/sharing.ts";
import { shareSchema } from "../../src/evidence/share.ts";
import type { Answer } from "../support/box/http/answer.ts";
import type { PlannedFault } from "../support/box/http/faults.ts";
import {
  colleague,
  day,
  nothing,
  openShareDesk,
  outsider,
  type ShareDesk,
} from "../support/box-shares.ts";
import { soon } from "../support/server.ts";

jest.setTimeout(120_000);

let desk: ShareDesk;
beforeAll(async () => {
  desk = await openShareDesk();
});
afterEach(() => desk.clear());
afterAll(() => desk.close());

function altered(change: (link: Record<string, unknown>) => Record<string, unknown>): PlannedFault {
  return {
    method: "GET",
    path: /^\/2\.0\/(?:files|folders)\/\d+$/,
    times: 50,
    alter: (answer: Answer) => {
      const json = answer.json as Record<string, unknown>;
      const link = json["shared_link"];
      if (typeof link !== "object" || link === null) return answer;
      return { ...answer, json: { ...json, shared_link: change({ ...link }) } };
    },
  };
}

describe("a share for viewing in Box", () => {
  it("is watermarked copies behind a link with a code, gone for good when it is revoked", async () => {
    const made = await desk.make({ exhibits: [desk.photo, desk.tape] });
    expect(shareSchema.parse(made.share)).toEqual(made.share);
    expect(made).toMatchObject({ reach: "open", share: { state: "open", recipient: outsider } });
    expect(made.code).toMatch(/^[2-9A-Z]{4}-[2-9A-Z]{4}$/);
    expect(desk.office.access()).toEqual({ links: 1, invitations: 0, copies: 3 });
    expect(await desk.visit(made.link)).toMatchObject({ status: 403 });
    expect(await desk.resolve(desk.office.box.users.partner, made.link, "WRONG-1234")).toBe(403);
    expect(await desk.resolve(desk.office.box.users.partner, made.link, made.code)).toBe(200);
    expect((await desk.visit(made.link, made.code)).text).not.toContain("Download");
    for (const file of desk.office.box.world.tree.files.values()) {
      expect(file.marked !== undefined).toBe(file.parent.name === "copies");
    }
    expect(await desk.sharing().list(soon())).toContainEqual(made.share);
    const revoked = await desk.sharing().revoke(made.share.id, undefined, soon());
    expect(revoked).toMatchObject({
      already: false,
      originalsTaken: 0,
      share: { state: "revoked" },
    });
    expect(await desk.resolve(desk.office.box.users.partner, made.link, made.code)).toBe(404);
    expect(await desk.visit(made.link, made.code)).toMatchObject({ status: 404 });
    const again = await desk.sharing().revoke(made.share.id, undefined, soon());
    expect(again).toMatchObject({ already: true, share: revoked.share });
  });

  it("loses one exhibit without the others, and ends with the last", async () => {
    const made = await desk.make({ exhibits: [desk.photo, desk.tape] });
    const first = await desk.sharing().revoke(made.share.id, desk.tape.id, soon());
    expect(first.share.exhibits.map(({ revokedAt }) => revokedAt !== undefined)).toEqual([
      false,
      true,
    ]);
    expect(first.share.state).toBe("open");
    expect(desk.office.access()).toEqual({ links: 1, invitations: 0, copies: 1 });
    expect((await desk.sharing().revoke(made.share.id, desk.tape.id, soon())).already).toBe(true);
    const last = await desk.sharing().revoke(made.share.id, desk.photo.id, soon());
    expect(last.share.state).toBe("revoked");
    await expect(
      desk.sharing().revoke(made.share.id, desk.recording.id, soon()),
    ).rejects.toMatchObject({
      code: "not-found.exhibit",
    });
  });

  it.each([
    ["renamed", () => ({ name: "another.jpg" })],
    ["moved elsewhere", () => ({ parent: { id: "0" } })],
  ])("loses its link although somebody has %s its copy in Box", async (_, change) => {
    const made = await desk.make();
    const copy = [...desk.office.box.world.tree.files.values()].find(
      ({ parent }) => parent.name === "copies",
    );
    const { officer } = desk.office.box.users;
    const changed = await desk.office.ask(officer, "PUT", `/files/${copy?.id}`, change());
    expect(changed.status).toBe(200);
    expect(await desk.visit(made.link, made.code)).toMatchObject({ status: 200 });
    await desk.sharing().revoke(made.share.id, undefined, soon());
    expect(await desk.visit(made.link, made.code)).toMatchObject({ status: 404 });
  });

  it("opens for a colleague by invitation as a previewer, without a code, and for nobody else", async () => {
    const made = await desk.make({ recipient: colleague });
    expect(made).toMatchObject({ reach: "collaborators", code: undefined, warnings: [] });
    expect(await desk.resolve(desk.colleagueUser, made.link)).toBe(200);
    expect(await desk.resolve(desk.office.box.users.partner, made.link)).toBe(404);
    expect(await desk.visit(made.link)).toMatchObject({ status: 404 });
    const [invited] = desk.office.box.world.collaborations
      .all()
      .filter(({ user }) => user === desk.colleagueUser);
    expect(invited).toMatchObject({ role: "previewer", item: { name: "copies" } });
    expect(invited?.expiresAt?.getTime()).toBe(Date.parse(made.share.expiresAt));
    await desk.sharing().revoke(made.share.id, undefined, soon());
    expect(await desk.resolve(desk.colleagueUser, made.link)).toBe(404);
  });

  it("says that an invitation stays where the enterprise lets none end, and of an address without an account", async () => {
    desk.office.box.settings.collaborationExpiry = false;
    const made = await desk.make({
      recipient: { name: "New One", email: "new.one@force.example" },
    });
    expect(made.warnings.join(" ")).toMatch(
      /until you run exhibit share revoke.*sign up or in with exactly/s,
    );
  });

  it("opens for the company only when asked", async () => {
    const made = await desk.make({ link: "company" });
    expect(made).toMatchObject({ reach: "company", code: undefined });
    expect(await desk.resolve(desk.colleagueUser, made.link)).toBe(200);
    expect(await desk.resolve(desk.office.box.users.partner, made.link)).toBe(404);
  });

  it("is another link for another recipient of the same file, also when both are made at once", async () => {
    const [one, two] = await Promise.all([
      desk.make(),
      desk.make(
        { recipient: { name: "Bob", email: "bob@defence.example" } },
        soon(),
        desk.otherOfficer,
      ),
    ]);
    expect(one.link).not.toBe(two.link);
    await desk.sharing(desk.otherOfficer).revoke(two.share.id, undefined, soon());
    expect(await desk.visit(one.link, one.code)).toMatchObject({ status: 200 });
  });

  it("ends by Box's clock, and does not come back", async () => {
    const made = await desk.make({ expiresAt: desk.inDays(1) });
    await desk.office.box.clock.later(2 * day, async () => {
      expect(await desk.visit(made.link, made.code)).toMatchObject({ status: 404 });
      expect(await desk.sharing().show(made.share.id, soon())).toMatchObject({ state: "expired" });
      await expect(
        desk.sharing().update(made.share.id, desk.inDays(3), soon()),
      ).rejects.toMatchObject({
        code: "conflict.share-ended",
      });
    });
  });

  it("has names of people nowhere but in its documents", async () => {
    await desk.make({ exhibits: [desk.photo, desk.tape, desk.recording] });
    const told = [
      ...desk.office.paths(),
      ...desk.office.box.requests.map(({ path, query }) => `${path}${query}`),
      ...[...desk.office.box.world.tree.files.values()].map(({ metadata }) =>
        JSON.stringify([...metadata]),
      ),
    ].join("\n");
    expect(told).not.toMatch(/jane|smith|07700|charging/i);
  });

  it.each<[string, Partial<ShareRequest>, ErrorCode]>([
    ["an end in the past", { expiresAt: "2020-01-01T00:00:00Z" }, "usage.invalid"],
    ["an end too far away", { expiresAt: "2099-01-01T00:00:00Z" }, "usage.invalid"],
    ["an open link to originals", { access: "original", link: "open" }, "usage.invalid"],
    [
      "originals with a mark",
      { access: "original", requireVisibleMark: true },
      "policy.type-not-markable",
    ],
  ])("is refused for %s, and nothing is made", async (_, changes, code) => {
    const before = desk.office.paths();
    await expect(desk.make(changes)).rejects.toMatchObject({ code });
    expect(desk.office.paths()).toEqual(before);
  });
});

describe("watermarks", () => {
  it("are said to depend on the tenant for video and sound, and refused there where a mark must be seen", async () => {
    const made = await desk.make({ exhibits: [desk.tape, desk.recording] });
    expect(made.warnings).toEqual([
      "Box accepted the watermark; whether this type shows it depends on your tenant: audio/wav, video/mp4.",
    ]);
    const before = desk.office.paths();
    for (const exhibits of [[desk.tape], [desk.photo, desk.recording]]) {
      await expect(desk.make({ exhibits, requireVisibleMark: true })).rejects.toMatchObject({
        code: "policy.type-not-markable",
      });
    }
    expect(desk.office.paths()).toEqual(before);
    expect(await desk.make({ requireVisibleMark: true })).toMatchObject({ warnings: [] });
  });

  it.each([
    [
      "are accepted and not made",
      { unmarkable: { name: /mp4/, then: "nothing" } },
      "policy.type-not-markable",
    ],
    [
      "are refused for the type",
      { unmarkable: { name: /mp4/, then: "refuse" } },
      "policy.type-not-markable",
    ],
    ["are not in the plan", { watermarks: false }, "policy.not-permitted"],
  ] as const)("that %s leave no share", async (_, settings, code) => {
    Object.assign(desk.office.box.settings, settings);
    await expect(desk.make({ exhibits: [desk.photo, desk.tape] })).rejects.toMatchObject({ code });
    expect(desk.office.access()).toEqual(nothing);
    expect(await desk.sharing().list(soon())).not.toContainEqual(
      expect.objectContaining({ state: "unfinished" }),
    );
  });
});

describe("what an administrator's rules make of a link", () => {
  it.each<
    [string, Partial<ShareRequest>, (link: Record<string, unknown>) => Record<string, unknown>]
  >([
    [
      "opens for more people",
      { link: "company" },
      (link) => ({ ...link, effective_access: "open" }),
    ],
    ["lets files be downloaded", {}, (link) => ({ ...link, effective_permission: "can_download" })],
    ["asks for no code", {}, (link) => ({ ...link, is_password_enabled: false })],
    ["never ends", {}, (link) => ({ ...link, unshared_at: null })],
    ["ends later", {}, (link) => ({ ...link, unshared_at: "2099-01-01T00:00:00-08:00" })],
    ["does not reach the recipient", {}, (link) => ({ ...link, effective_access: "company" })],
    ["reaches nobody", {}, (link) => ({ ...link, effective_permission: "no_access" })],
  ])("that %s is torn down", async (_, changes, change) => {
    desk.office.box.faults.next(altered(change));
    await expect(desk.make(changes)).rejects.toMatchObject({ code: "policy.not-permitted" });
    expect(desk.office.access()).toEqual(nothing);
  });

  it("is told where it is narrower and still reaches the recipient", async () => {
    const soonerEnd = desk.inDays(2).replace(/\.\d+Z$/, "Z");
    desk.office.box.faults.next(
      altered((link) => ({ ...link, effective_access: "company", unshared_at: soonerEnd })),
    );
    const made = await desk.make({ recipient: colleague, link: "open" });
    expect(made.warnings.join(" ")).toMatch(/everybody of the organisation only.*sooner/s);
    expect(made.share.expiresAt).toBe(soonerEnd);
  });

  it("is Box's real policy, too", async () => {
    desk.office.box.settings.linkPolicy = { access: "company", canDownload: true };
    await expect(desk.make()).rejects.toMatchObject({ code: "policy.not-permitted" });
  });
});
