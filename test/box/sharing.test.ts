import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from "@jest/globals";
import type { ErrorCode } from "../../src/evidence/errors.ts";
import type { NewShare, ShareRequest, Sharing } from "../../src/evidence/ports/sharing.ts";
import { shareSchema } from "../../src/evidence/share.ts";
import type { User } from "../support/box/accounts/users.ts";
import type { Answer } from "../support/box/http/answer.ts";
import { failure, type PlannedFault } from "../support/box/http/faults.ts";
import { call, film, openBoxOffice, picture, type BoxOffice } from "../support/box-office.ts";
import { soon } from "../support/server.ts";

jest.setTimeout(120_000);

const day = 86_400_000;
const outsider = { name: "Jane Smith", email: "jane.smith@cps.example" };
const colleague = { name: "Cole League", email: "cole.league@force.example" };
const nothing = { links: 0, invitations: 0, copies: 0 };

let office: BoxOffice;
let colleagueUser: User;
let otherOfficer: User;
let photo: ShareRequest["exhibits"][number];
let tape: ShareRequest["exhibits"][number];
let recording: ShareRequest["exhibits"][number];

beforeAll(async () => {
  office = await openBoxOffice();
  colleagueUser = office.box.addUser({ name: colleague.name, login: colleague.email });
  otherOfficer = office.box.addUser({ name: "Otto Other", login: "otto@force.example" });
  await office.admit(otherOfficer);
  photo = await office.exhibit(picture);
  tape = await office.exhibit(film, picture);
  recording = await office.exhibit(call);
});
afterAll(() => office.close());
afterEach(async () => {
  const { box } = office;
  box.faults.clear();
  Object.assign(box.settings, {
    linkPolicy: { access: "open", canDownload: true },
    watermarks: true,
    unmarkable: undefined,
    collaborationExpiry: true,
    externalCollaboration: true,
  });
  for (const { id, state } of await sharing().list(soon())) {
    if (state !== "revoked") await sharing().revoke(id, undefined, soon());
  }
  expect(office.access()).toEqual(nothing);
});

/** Each time as another process would have it. */
function sharing(user?: User): Sharing {
  const { sharing: found } = office.as(user);
  if (found === undefined) throw new Error("no sharing");
  return found;
}

function inDays(days: number): string {
  return new Date(office.box.clock.now().getTime() + days * day).toISOString();
}

function make(changes: Partial<ShareRequest> = {}, signal = soon(), by?: User): Promise<NewShare> {
  const wanted: ShareRequest = {
    exhibits: [photo],
    recipient: outsider,
    access: "view",
    expiresAt: inDays(7),
    purpose: "Charging decision",
    ...changes,
  };
  return sharing(by).create(wanted, signal);
}

/** What somebody in a browser, who is signed in nowhere, sees of a link. */
async function visit(link: string, code?: string): Promise<{ status: number; text: string }> {
  const url = new URL(link);
  if (code !== undefined) url.searchParams.set("password", code);
  const answer = await fetch(url);
  return { status: answer.status, text: await answer.text() };
}

/** What somebody who is signed in gets for a link. */
async function resolve(user: User, link: string, code?: string): Promise<number> {
  const password = code === undefined ? "" : `&shared_link_password=${encodeURIComponent(code)}`;
  const boxapi = `shared_link=${link}${password}`;
  return (await office.ask(user, "GET", "/shared_items", undefined, { boxapi })).status;
}

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
    const made = await make({ exhibits: [photo, tape] });
    expect(shareSchema.parse(made.share)).toEqual(made.share);
    expect(made).toMatchObject({ reach: "open", share: { state: "open", recipient: outsider } });
    expect(made.code).toMatch(/^[2-9A-Z]{4}-[2-9A-Z]{4}$/);
    expect(office.access()).toEqual({ links: 1, invitations: 0, copies: 3 });
    expect(await visit(made.link)).toMatchObject({ status: 403 });
    expect(await resolve(office.box.users.partner, made.link, "WRONG-1234")).toBe(403);
    expect(await resolve(office.box.users.partner, made.link, made.code)).toBe(200);
    expect((await visit(made.link, made.code)).text).not.toContain("Download");
    for (const file of office.box.world.tree.files.values()) {
      expect(file.marked !== undefined).toBe(file.parent.name === "copies");
    }
    expect(await sharing().list(soon())).toContainEqual(made.share);
    const revoked = await sharing().revoke(made.share.id, undefined, soon());
    expect(revoked).toMatchObject({
      already: false,
      originalsTaken: 0,
      share: { state: "revoked" },
    });
    expect(await resolve(office.box.users.partner, made.link, made.code)).toBe(404);
    expect(await visit(made.link, made.code)).toMatchObject({ status: 404 });
    const again = await sharing().revoke(made.share.id, undefined, soon());
    expect(again).toMatchObject({ already: true, share: revoked.share });
  });

  it("loses one exhibit without the others, and ends with the last", async () => {
    const made = await make({ exhibits: [photo, tape] });
    const first = await sharing().revoke(made.share.id, tape.id, soon());
    expect(first.share.exhibits.map(({ revokedAt }) => revokedAt !== undefined)).toEqual([
      false,
      true,
    ]);
    expect(first.share.state).toBe("open");
    expect(office.access()).toEqual({ links: 1, invitations: 0, copies: 1 });
    expect((await sharing().revoke(made.share.id, tape.id, soon())).already).toBe(true);
    const last = await sharing().revoke(made.share.id, photo.id, soon());
    expect(last.share.state).toBe("revoked");
    await expect(sharing().revoke(made.share.id, recording.id, soon())).rejects.toMatchObject({
      code: "not-found.exhibit",
    });
  });

  it("opens for a colleague by invitation as a previewer, without a code, and for nobody else", async () => {
    const made = await make({ recipient: colleague });
    expect(made).toMatchObject({ reach: "collaborators", code: undefined, warnings: [] });
    expect(await resolve(colleagueUser, made.link)).toBe(200);
    expect(await resolve(office.box.users.partner, made.link)).toBe(404);
    expect(await visit(made.link)).toMatchObject({ status: 404 });
    const [invited] = office.box.world.collaborations
      .all()
      .filter(({ user }) => user === colleagueUser);
    expect(invited).toMatchObject({ role: "previewer", item: { name: "copies" } });
    expect(invited?.expiresAt?.getTime()).toBe(Date.parse(made.share.expiresAt));
    await sharing().revoke(made.share.id, undefined, soon());
    expect(await resolve(colleagueUser, made.link)).toBe(404);
  });

  it("says that an invitation stays where the enterprise lets none end, and of an address without an account", async () => {
    office.box.settings.collaborationExpiry = false;
    const made = await make({ recipient: { name: "New One", email: "new.one@force.example" } });
    expect(made.warnings.join(" ")).toMatch(
      /until you run exhibit share revoke.*sign up or in with exactly/s,
    );
  });

  it("opens for the company only when asked", async () => {
    const made = await make({ link: "company" });
    expect(made).toMatchObject({ reach: "company", code: undefined });
    expect(await resolve(colleagueUser, made.link)).toBe(200);
    expect(await resolve(office.box.users.partner, made.link)).toBe(404);
  });

  it("is another link for another recipient of the same file, also when both are made at once", async () => {
    const [one, two] = await Promise.all([
      make(),
      make({ recipient: { name: "Bob", email: "bob@defence.example" } }, soon(), otherOfficer),
    ]);
    expect(one.link).not.toBe(two.link);
    await sharing(otherOfficer).revoke(two.share.id, undefined, soon());
    expect(await visit(one.link, one.code)).toMatchObject({ status: 200 });
  });

  it("ends by Box's clock, and does not come back", async () => {
    const made = await make({ expiresAt: inDays(1) });
    await office.box.clock.later(2 * day, async () => {
      expect(await visit(made.link, made.code)).toMatchObject({ status: 404 });
      expect(await sharing().show(made.share.id, soon())).toMatchObject({ state: "expired" });
      await expect(sharing().update(made.share.id, inDays(3), soon())).rejects.toMatchObject({
        code: "conflict.share-ended",
      });
    });
  });

  it("has names of people nowhere but in its documents", async () => {
    await make({ exhibits: [photo, tape, recording] });
    const told = [
      ...office.paths(),
      ...office.box.requests.map(({ path, query }) => `${path}${query}`),
      ...[...office.box.world.tree.files.values()].map(({ metadata }) =>
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
    const before = office.paths();
    await expect(make(changes)).rejects.toMatchObject({ code });
    expect(office.paths()).toEqual(before);
  });
});

describe("watermarks", () => {
  it("are said to depend on the tenant for video and sound, and refused there where a mark must be seen", async () => {
    const made = await make({ exhibits: [tape, recording] });
    expect(made.warnings).toEqual([
      "Box accepted the watermark; whether this type shows it depends on your tenant: audio/wav, video/mp4.",
    ]);
    const before = office.paths();
    for (const exhibits of [[tape], [photo, recording]]) {
      await expect(make({ exhibits, requireVisibleMark: true })).rejects.toMatchObject({
        code: "policy.type-not-markable",
      });
    }
    expect(office.paths()).toEqual(before);
    expect(await make({ requireVisibleMark: true })).toMatchObject({ warnings: [] });
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
    Object.assign(office.box.settings, settings);
    await expect(make({ exhibits: [photo, tape] })).rejects.toMatchObject({ code });
    expect(office.access()).toEqual(nothing);
    expect(await sharing().list(soon())).not.toContainEqual(
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
    office.box.faults.next(altered(change));
    await expect(make(changes)).rejects.toMatchObject({ code: "policy.not-permitted" });
    expect(office.access()).toEqual(nothing);
  });

  it("is told where it is narrower and still reaches the recipient", async () => {
    const soonerEnd = inDays(2).replace(/\.\d+Z$/, "Z");
    office.box.faults.next(
      altered((link) => ({ ...link, effective_access: "company", unshared_at: soonerEnd })),
    );
    const made = await make({ recipient: colleague, link: "open" });
    expect(made.warnings.join(" ")).toMatch(/everybody of the organisation only.*sooner/s);
    expect(made.share.expiresAt).toBe(soonerEnd);
  });

  it("is Box's real policy, too", async () => {
    office.box.settings.linkPolicy = { access: "company", canDownload: true };
    await expect(make()).rejects.toMatchObject({ code: "policy.not-permitted" });
  });
});

/** The requests that making a share takes. */
async function stepsOf(
  changes: Partial<ShareRequest>,
): Promise<{ method: string; path: string }[]> {
  const before = office.box.requests.length;
  const made = await make(changes);
  const steps = office.box.requests.slice(before).map(({ method, path }) => ({ method, path }));
  await sharing().revoke(made.share.id, undefined, soon());
  return steps;
}

describe("whatever breaks while a share is made", () => {
  const kinds: [string, () => Partial<ShareRequest>][] = [
    ["for a colleague", () => ({ exhibits: [tape], recipient: colleague })],
    ["behind a code", () => ({})],
    ["of originals", () => ({ access: "original", exhibits: [photo, tape] })],
  ];

  it.each(kinds)("leaves nothing when a step is refused, at each step (%s)", async (_, changes) => {
    const steps = await stepsOf(changes());
    for (const after of steps.keys()) {
      const answer = failure(403, "forbidden", "no");
      office.box.faults.next({ path: /./, after, answer });
      const made = await make(changes()).catch(() => undefined);
      office.box.faults.clear();
      if (made === undefined)
        expect([after, steps[after], office.access()]).toEqual([after, steps[after], nothing]);
      else await sharing().revoke(made.share.id, undefined, soon());
    }
    expect(office.access()).toEqual(nothing);
  });

  it.each(kinds)("leaves nothing when it is stopped, at each step (%s)", async (_, changes) => {
    const steps = await stepsOf(changes());
    for (const after of steps.keys()) {
      const stop = new AbortController();
      office.box.faults.next({
        path: /./,
        after,
        alter: (answer) => {
          stop.abort(new Error("stopped by the test"));
          return answer;
        },
      });
      const made = make(changes(), AbortSignal.any([stop.signal, soon()]));
      await expect(made).rejects.toThrow("stopped by the test");
      office.box.faults.clear();
      expect([after, office.access()]).toEqual([after, nothing]);
    }
  });

  it.each(kinds)(
    "makes everything once when Box did it and said 503, or hung up (%s)",
    async (_, changes) => {
      const steps = await stepsOf(changes());
      const writes = [...steps.entries()].filter(([, { method }]) => method !== "GET");
      for (const [at] of writes) {
        const storeThenAnswer = failure(503, "unavailable", "later");
        office.box.faults.next(
          at % 2 === 0
            ? { path: /./, after: at, storeThenAnswer }
            : { path: /./, after: at, cut: "unanswered" },
        );
        const made = await make(changes());
        office.box.faults.clear();
        const { access, exhibits } = made.share;
        const expected =
          access === "original"
            ? { links: 0, invitations: exhibits.length, copies: 0 }
            : {
                links: 1,
                invitations: made.code === undefined ? 1 : 0,
                copies: exhibits[0]?.id === tape.id ? 2 : 1,
              };
        expect([at, steps[at], office.access()]).toEqual([at, steps[at], expected]);
        await sharing().revoke(made.share.id, undefined, soon());
      }
    },
  );

  it.each(kinds)(
    "is found and taken away later when we die, at each step (%s)",
    async (_, changes) => {
      const steps = await stepsOf(changes());
      const writes = [...steps.entries()].filter(([, { method }]) => method !== "GET");
      let found = 0;
      for (const [at] of writes) {
        // From here on nothing gets through any more, as if we were not there.
        const answer = failure(403, "forbidden", "no");
        office.box.faults.next({ path: /./, after: at + 1, times: 10_000, answer });
        await expect(make(changes())).rejects.toHaveProperty("code");
        office.box.faults.clear();
        const unfinished = (await sharing().list(soon())).filter(
          ({ state }) => state === "unfinished",
        );
        found += unfinished.length;
        for (const { id } of unfinished) {
          expect((await sharing().revoke(id, undefined, soon())).share.state).toBe("revoked");
        }
        const open = (await sharing().list(soon())).filter(({ state }) => state === "open");
        for (const { id } of open) await sharing().revoke(id, undefined, soon());
        expect([at, office.access()]).toEqual([at, nothing]);
      }
      expect(found).toBeGreaterThan(1);
    },
  );
});

describe("a share's end", () => {
  it("is moved with the link staying the same", async () => {
    const made = await make({ recipient: colleague });
    const { share } = await sharing().update(made.share.id, inDays(30), soon());
    expect(Date.parse(share.expiresAt) - Date.parse(made.share.expiresAt)).toBeGreaterThan(
      20 * day,
    );
    await office.box.clock.later(20 * day, async () => {
      expect(await resolve(colleagueUser, made.link)).toBe(200);
    });
    const coded = await make();
    await sharing().update(coded.share.id, inDays(1), soon());
    expect(await visit(coded.link, coded.code)).toMatchObject({ status: 200 });
    expect(await visit(coded.link)).toMatchObject({ status: 403 });
    await office.box.clock.later(2 * day, async () => {
      expect(await visit(coded.link, coded.code)).toMatchObject({ status: 404 });
    });
  });

  it("is moved again after an update that was cut off", async () => {
    const made = await make();
    office.box.faults.next({
      method: "POST",
      path: /files\/content/,
      after: 1,
      times: 9,
      answer: failure(403, "forbidden", "no"),
    });
    await expect(sharing().update(made.share.id, inDays(3), soon())).rejects.toHaveProperty("code");
    office.box.faults.clear();
    await sharing().update(made.share.id, inDays(4), soon());
    expect(await sharing().show(made.share.id, soon())).toMatchObject({ state: "open" });
  });

  it.each<[string, (itemId: string) => Promise<unknown>]>([
    [
      "made anew",
      async (id) => {
        await office.ask(otherOfficer, "PUT", `/files/${id}?fields=shared_link`, {
          shared_link: null,
        });
        await office.ask(otherOfficer, "PUT", `/files/${id}?fields=shared_link`, {
          shared_link: { access: "open" },
        });
      },
    ],
    [
      "given another end",
      (id) =>
        office.ask(otherOfficer, "PUT", `/files/${id}?fields=shared_link`, {
          shared_link: { access: "open", unshared_at: inDays(50) },
        }),
    ],
    [
      "opened without a code",
      (id) =>
        office.ask(otherOfficer, "PUT", `/files/${id}?fields=shared_link`, {
          shared_link: { access: "open", password: null },
        }),
    ],
  ])(
    "is not moved for a link that another officer has %s, and revoking still cuts it",
    async (_, change) => {
      const made = await make();
      const copy = [...office.box.world.tree.files.values()].find(({ link }) => link !== undefined);
      await change(copy?.id ?? "");
      const link = copy?.link;
      const before = { ...link };
      await expect(sharing().update(made.share.id, inDays(3), soon())).rejects.toMatchObject({
        code: "conflict.share-changed",
      });
      expect({ ...copy?.link }).toEqual(before);
      await sharing().revoke(made.share.id, undefined, soon());
    },
  );

  it("and the share itself are its own officer's; another one sees it, and may not touch it", async () => {
    const made = await make();
    const { box } = office;
    const theirs = sharing(otherOfficer);
    const refused = { code: "policy.role", facts: { createdBy: box.users.officer.id } };
    await expect(theirs.update(made.share.id, inDays(3), soon())).rejects.toMatchObject(refused);
    await expect(theirs.revoke(made.share.id, undefined, soon())).rejects.toMatchObject(refused);
    expect(await theirs.list(soon())).toEqual([]);
    expect(await theirs.show(made.share.id, soon())).toMatchObject({ state: "open" });
    await expect(theirs.show("S222222222", soon())).rejects.toMatchObject({
      code: "not-found.share",
    });
  });

  it("is moved once by two at once, or by both, never wrongly", async () => {
    const made = await make();
    const ends = [inDays(3), inDays(5)];
    const both = await Promise.allSettled(
      ends.map((end) => sharing().update(made.share.id, end, soon())),
    );
    expect(both.map(({ status }) => status)).toContain("fulfilled");
    for (const one of both) {
      if (one.status === "rejected")
        expect(one.reason).toMatchObject({ code: "conflict.share-changed" });
    }
    expect(await visit(made.link, made.code)).toMatchObject({ status: 200 });
  });
});

describe("originals in Box", () => {
  it("are given by invitation to each exhibit's own folder, and taken back", async () => {
    const { partner } = office.box.users;
    const recipient = { name: "Pat Partner", email: partner.login };
    const made = await make({ access: "original", exhibits: [photo, tape], recipient });
    expect(made.code).toBeUndefined();
    const links = [made.link, ...(made.furtherLinks ?? [])];
    expect(links).toHaveLength(2);
    for (const link of links) {
      const [, id = ""] = /\/folder\/(\d+)$/.exec(link) ?? [];
      expect(link).toBe(`${office.box.authorizeUrl}/folder/${id}`);
      expect((await office.ask(partner, "GET", `/folders/${id}/items`)).status).toBe(200);
    }
    expect(
      office.box.world.collaborations.all().filter(({ user }) => user === partner),
    ).toMatchObject([
      { role: "viewer", item: { name: expect.stringContaining("TST_") } },
      { role: "viewer" },
    ]);
    await sharing().revoke(made.share.id, tape.id, soon());
    expect(office.access()).toMatchObject({ invitations: 1 });
    await sharing().revoke(made.share.id, undefined, soon());
    const [, first = ""] = /\/folder\/(\d+)$/.exec(made.link) ?? [];
    expect((await office.ask(partner, "GET", `/folders/${first}`)).status).toBe(404);
  });

  it.each([
    ["invitations cannot end", { collaborationExpiry: false }],
    ["nobody outside may be invited", { externalCollaboration: false }],
  ])("are refused where %s, with the setting's name", async (_, settings) => {
    Object.assign(office.box.settings, settings);
    const failed = make({ access: "original" });
    await expect(failed).rejects.toMatchObject({
      code: "policy.not-permitted",
      hint: expect.stringContaining("Automatically remove invited collaborators"),
    });
  });

  it.each([400, 409] as const)(
    "are refused for who has access already (%d), which stays as it is",
    async (status) => {
      office.box.settings.collaborationConflict = status;
      const { partner } = office.box.users;
      const recipient = { name: "Pat", email: partner.login };
      const first = await make({ access: "original", recipient });
      const before = office.box.world.collaborations
        .all()
        .map(({ id, expiresAt }) => [id, expiresAt]);
      const second = sharing(otherOfficer).create(
        {
          exhibits: [photo],
          recipient,
          access: "original",
          expiresAt: inDays(60),
          purpose: undefined,
        },
        soon(),
      );
      await expect(second).rejects.toMatchObject({ code: "conflict.exists" });
      expect(
        office.box.world.collaborations.all().map(({ id, expiresAt }) => [id, expiresAt]),
      ).toEqual(before);
      await sharing().revoke(first.share.id, undefined, soon());
    },
  );
});

it("asked Box for nothing that its document does not have", () => {
  const ours = office.box.violations.filter(
    ({ agent, side }) => side === "request" && agent.startsWith("exhibit"),
  );
  expect(ours).toEqual([]);
  expect(office.box.crashes).toEqual([]);
});
