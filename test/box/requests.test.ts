import { afterEach, beforeEach, expect, it, jest } from "@jest/globals";
import { closeRequest, createRequest, listRequests } from "../../src/app/requests.ts";
import type { Connection } from "../../src/evidence/ports/connection.ts";
import { boxRequests } from "../../src/stores/box/file-requests.ts";
import { Files } from "../../src/stores/box/files.ts";
import type { User } from "../support/box/accounts/users.ts";
import { failure } from "../support/box/http/faults.ts";
import { boxFolder, type BoxFolder } from "../support/box-store.ts";
import { openBoxOffice, picture, type BoxOffice } from "../support/box-office.ts";
import { soon } from "../support/server.ts";

jest.setTimeout(60_000);

const day = 86_400;
let office: BoxOffice;
let template: string;
const folders: BoxFolder[] = [];

beforeEach(async () => {
  office = await openBoxOffice();
  const { world, users } = office.box;
  // Made in Box's pages, as people do: the API makes none.
  const place = world.tree.folders.get(office.box.folder(users.officer, "Templates"));
  if (place === undefined) throw new Error("no folder");
  template = world.tree.nextId();
  Object.assign(world.fileRequests.make(template, place, users.officer, world.now()), {
    title: "Hand in footage",
  });
});
afterEach(async () => {
  const ours = office.box.violations.filter(
    ({ agent, side }) => side === "request" && agent.startsWith("exhibit"),
  );
  for (const folder of folders.splice(0)) await folder.close();
  await office.close();
  expect(ours).toEqual([]);
  expect(office.box.crashes).toEqual([]);
});

function deps(user: User = office.box.users.officer) {
  const connect = (): Promise<Connection> => {
    const folder = boxFolder(office.box, "Evidence", { user });
    folders.push(folder);
    const requests = boxRequests({ files: new Files(folder.api()), clock: office.box.clock });
    return Promise.resolve({ ...office.as(user), requests });
  };
  return { connect, clock: office.box.clock };
}

function wanted(more: object = {}) {
  return { case: "01AB1234526", template, expiresInSeconds: 7 * day, ...more };
}

function open(): number {
  return [...office.box.world.fileRequests.all.values()].filter(
    ({ id, active }) => id !== template && active,
  ).length;
}

it("gives an address for a case that opens for anybody, until it ends, and is listed", async () => {
  const exhibit = await office.exhibit(picture);
  const { request } = await createRequest(deps(), wanted(), soon());
  expect(request).toMatchObject({ case: "01AB1234526", title: "Hand in footage", state: "open" });
  expect(request.url).toMatch(new RegExp(`^${office.box.authorizeUrl}/f/`));
  expect((await fetch(request.url)).status).toBe(200);
  expect(await listRequests(deps(), {}, soon())).toEqual({ requests: [request] });
  // Among exhibits there is nothing new, and keys are as they were.
  const { register } = office.as();
  const seen = [];
  for await (const { id } of register.list(undefined, soon())) seen.push(id);
  expect(seen).toEqual([exhibit.id]);
  expect(office.paths()).toEqual(
    expect.arrayContaining([".requests/01AB1234526", `.requests/.made/${request.id}.json`]),
  );
  await office.box.clock.later(8 * day * 1000, async () => {
    expect((await fetch(request.url)).status).toBe(404);
    expect(await listRequests(deps(), {}, soon())).toMatchObject({
      requests: [{ state: "expired" }],
    });
  });
});

it("is closed for good, as often as one likes, and by its own officer only", async () => {
  const { request } = await createRequest(deps(), wanted({ title: "Bus 42" }), soon());
  expect(request.title).toBe("Bus 42");
  const other = office.box.addUser({ name: "Otto Other", login: "otto@force.example" });
  await office.admit(other);
  await expect(closeRequest(deps(other), { id: request.id }, soon())).rejects.toMatchObject({
    code: "policy.role",
  });
  expect((await fetch(request.url)).status).toBe(200);
  for (let times = 0; times < 2; times += 1) {
    expect(await closeRequest(deps(), { id: request.id }, soon())).toMatchObject({
      request: { state: "closed" },
    });
  }
  expect((await fetch(request.url)).status).toBe(404);
});

it("is not opened where Box gives it another end than was asked for", async () => {
  office.box.faults.next({
    method: "GET",
    path: /^\/2\.0\/file_requests\/\d+$/,
    alter: (answer) => {
      const json = { ...(answer.json as Record<string, unknown>) };
      delete json["expires_at"];
      return { ...answer, json };
    },
  });
  await expect(createRequest(deps(), wanted(), soon())).rejects.toMatchObject({
    code: "policy.not-permitted",
  });
  expect(open()).toBe(0);
});

it("is listed although another one cannot be seen, and another's note was taken away meanwhile", async () => {
  const [hidden, gone, seen] = [
    await createRequest(deps(), wanted(), soon()),
    await createRequest(deps(), wanted(), soon()),
    await createRequest(deps(), wanted(), soon()),
  ].map(({ request }) => request);
  office.box.faults.next({
    times: Infinity,
    path: new RegExp(`^/2\\.0/file_requests/${hidden?.id}$`),
    answer: failure(403, "access_denied_insufficient_permissions", "no"),
  });
  const [, note] =
    [...office.box.tree()].find(([path]) => path.endsWith(`.made/${gone?.id}.json`)) ?? [];
  office.box.faults.next({
    times: Infinity,
    path: new RegExp(`^/2\\.0/files/${note?.id}/content$`),
    answer: failure(404, "not_found", "no"),
  });
  const { requests } = await listRequests(deps(), {}, soon());
  expect(requests.map(({ id, state }) => [id, state]).sort()).toEqual(
    [
      [hidden?.id, "gone"],
      [seen?.id, "open"],
    ].sort(),
  );
});

it.each([
  ["a template that is not there", { template: "123" }, "not-found.request"],
  ["a template that is no id", { template: "abc" }, "usage.invalid"],
  ["no case", { case: " " }, "usage.invalid"],
  ["an end too far away", { expiresInSeconds: 900 * day }, "usage.invalid"],
])("is refused for %s", async (_, more, code) => {
  await expect(createRequest(deps(), wanted(more), soon())).rejects.toMatchObject({ code });
  expect(open()).toBe(0);
});

it("is refused for what is no request of ours, and where the store has none", async () => {
  await expect(closeRequest(deps(), { id: template }, soon())).rejects.toMatchObject({
    code: "not-found.request",
  });
  const none = { connect: () => Promise.resolve(office.as()), clock: office.box.clock };
  await expect(listRequests(none, {}, soon())).rejects.toMatchObject({
    code: "policy.unsupported",
  });
});

it("leaves nothing open that is not listed, wherever it breaks, and nothing twice where Box did it and said 503", async () => {
  const before = office.box.requests.length;
  await createRequest(deps(), wanted(), soon());
  const steps = office.box.requests.length - before;
  for (const refused of [true, false]) {
    for (let after = 0; after < steps; after += 1) {
      const answer = failure(refused ? 403 : 503, refused ? "forbidden" : "unavailable", "no");
      office.box.faults.next({
        path: /./,
        after,
        ...(refused ? { answer } : { storeThenAnswer: answer }),
      });
      await createRequest(deps(), wanted(), soon()).catch(() => undefined);
      office.box.faults.clear();
      const { requests } = await listRequests(deps(), {}, soon());
      expect([after, requests.filter(({ state }) => state === "open").length]).toEqual([
        after,
        open(),
      ]);
    }
  }
});
