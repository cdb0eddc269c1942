import { afterEach, beforeEach, expect, it, jest } from "@jest/globals";
import { examineStore } from "../../src/app/examine-store.ts";
import type { DoctorFinding } from "../../src/evidence/ports/doctor.ts";
import { boxDoctor } from "../../src/stores/box/enterprise/doctor.ts";
import { boxFolder, type BoxFolder } from "../support/box-store.ts";
import { startBox, type Box } from "../support/box/box.ts";
import { makeClient } from "../support/client.ts";
import { soon } from "../support/server.ts";

jest.setTimeout(60_000);

let box: Box;
let folder: BoxFolder;

beforeEach(async () => {
  box = await startBox();
});
afterEach(async () => {
  const ours = box.violations.filter(
    ({ agent, side }) => side === "request" && agent.startsWith("exhibit"),
  );
  await folder.close();
  await box.close();
  expect(ours).toEqual([]);
  expect(box.crashes).toEqual([]);
});

/** What the administrator is told of a folder of theirs, by its id. */
async function examined(user = box.users.admin): Promise<Map<string, DoctorFinding>> {
  folder = boxFolder(box, "Evidence", { user });
  if (user !== box.users.officer) {
    await fetch(`${box.apiUrl}/2.0/collaborations`, {
      method: "POST",
      headers: {
        authorization: `Bearer ${box.developerToken(box.users.officer)}`,
        "content-type": "application/json",
      },
      body: JSON.stringify({
        item: { type: "folder", id: box.folder(box.users.officer, "Evidence") },
        accessible_by: { type: "user", id: user.id },
        role: "editor",
      }),
    });
  }
  const found = await boxDoctor({ api: folder.api() }).examine(soon());
  return new Map(found.map((one) => [one.id, one]));
}

function bad(found: ReadonlyMap<string, DoctorFinding>): string[] {
  return [...found.values()]
    .filter(({ verdict }) => verdict === "will-not-work")
    .map(({ id }) => id);
}

it("finds nothing wrong where all is allowed, asks only, and tells what nobody says", async () => {
  const found = await examined();
  expect(bad(found)).toEqual([]);
  expect([...found.keys()]).toEqual([
    "account",
    "space",
    "largest-file",
    "folder",
    "folder-download",
    "folder-upload",
    "folder-delete",
    "folder-share",
    "folder-set-share-access",
    "folder-invite-collaborator",
    "watermark",
    "links-open",
    "links-default",
    "links-expire",
    "open-links-expire",
    "external-collaboration",
    "collaboration-expiry",
    "file-requests",
    "keysafe",
    "events",
    "events-streaming",
    "zone",
  ]);
  expect(found.get("zone")).toMatchObject({
    verdict: "ok",
    words: expect.stringContaining(" UK.") as unknown,
  });
  const asked = box.requests.filter(
    ({ agent, method }) => agent.startsWith("exhibit") && method !== "GET",
  );
  expect(asked).toEqual([]);
});

it.each<[string, string, () => void, RegExp]>([
  ["watermark", "watermarks off", () => (box.settings.watermarks = false), /no share for viewing/],
  [
    "links-open",
    "no open links",
    () => (box.settings.linkPolicy = { access: "company", canDownload: true }),
    /without an account are forbidden/,
  ],
  [
    "open-links-expire",
    "open links that end",
    () => {
      enterprise({
        is_public_shared_links_expiration_enabled: true,
        public_shared_links_expiration_days: 14,
      });
    },
    /after 14 days/,
  ],
  [
    "links-expire",
    "links that end",
    () => {
      enterprise({ is_shared_links_expiration_enabled: true, shared_links_expiration_days: 30 });
    },
    /after 30 days/,
  ],
  [
    "external-collaboration",
    "nobody outside",
    () => (box.settings.externalCollaboration = false),
    /originals for them/,
  ],
  [
    "external-collaboration",
    "only some domains",
    () => {
      enterprise({ collaboration_restrictions: ["allowlisted_domains"] });
    },
    /restricted/,
  ],
  [
    "collaboration-expiry",
    "invitations without end",
    () => (box.settings.collaborationExpiry = false),
    /sharing originals will not work/,
  ],
  [
    "file-requests",
    "file requests with a login",
    () => {
      enterprise({ is_file_request_login_required: true });
    },
    /ask for a Box login/,
  ],
  ["space", "no room", () => (box.settings.spaceBytes = 0), /no room/],
])("says before anybody tries: %s (%s), with what must be set", async (id, _, change, words) => {
  change();
  const found = await examined();
  expect(bad(found)).toEqual([id]);
  expect(found.get(id)?.words).toMatch(words);
  expect(found.get(id)?.remedy).toMatch(/\S/);
});

it.each([
  ["open", "everybody who has it"],
  ["company", "everybody of the enterprise"],
] as const)("says whom links open for that are made by hand: %s", async (access, words) => {
  box.settings.linkDefaultAccess = access;
  expect((await examined()).get("links-default")).toMatchObject({
    verdict: "ok",
    words: expect.stringContaining(`opens for ${words},`) as unknown,
  });
});

it("tells what KeySafe changes, and that nothing stops working", async () => {
  box.settings.enterprise = { security: { keysafe: { keysafe_enabled: true } } };
  expect((await examined()).get("keysafe")).toMatchObject({
    verdict: "ok",
    words: expect.stringMatching(/full-text search/),
  });
});

it("tells an officer what only an administrator may ask, and that the log will be thin", async () => {
  const found = await examined(box.users.officer);
  expect(found.get("watermark")).toMatchObject({
    verdict: "unknown",
    remedy: expect.stringMatching(/administrator/),
  });
  expect(bad(found)).toEqual(["events", "events-streaming"]);
});

it("says what a role that is too weak cannot do", async () => {
  const user = box.addUser({ name: "Vi Viewer", login: "vi@force.example" });
  folder = boxFolder(box, "Evidence", { user });
  await fetch(`${box.apiUrl}/2.0/collaborations`, {
    method: "POST",
    headers: {
      authorization: `Bearer ${box.developerToken(box.users.officer)}`,
      "content-type": "application/json",
    },
    body: JSON.stringify({
      item: { type: "folder", id: box.folder(box.users.officer, "Evidence") },
      accessible_by: { type: "user", id: user.id },
      role: "viewer",
    }),
  });
  const found = await boxDoctor({ api: folder.api() }).examine(soon());
  const ids = found.filter(({ verdict }) => verdict === "will-not-work").map(({ id }) => id);
  expect(ids).toEqual(
    expect.arrayContaining(["folder-upload", "folder-delete", "folder-invite-collaborator"]),
  );
});

it("says of a folder that is not ours that nothing will work", async () => {
  folder = boxFolder(box, "Evidence", { user: box.users.partner });
  const found = await boxDoctor({ api: folder.api() }).examine(soon());
  expect(found.find(({ id }) => id === "folder")).toMatchObject({ verdict: "will-not-work" });
});

it("has nothing to ask of other stores", async () => {
  folder = boxFolder(box, "Evidence");
  const client = await makeClient();
  expect(await examineStore(client.deps, {}, soon())).toMatchObject({ findings: undefined });
  await client.close();
});

function enterprise(values: Record<string, unknown>): void {
  box.settings.enterprise = { content_and_sharing: values };
}
