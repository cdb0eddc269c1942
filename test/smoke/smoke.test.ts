import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { setTimeout as aMoment } from "node:timers/promises";
import { smoke } from "../../src/app/smoke.ts";
import { smokeSteps, type SmokeStepName } from "../../src/app/smoke-steps.ts";
import type { Connection } from "../../src/evidence/ports/connection.ts";
import type { Register } from "../../src/evidence/ports/register.ts";
import type { Sharing } from "../../src/evidence/ports/sharing.ts";
import type { SmokeRoom } from "../../src/evidence/ports/smoke-room.ts";
import type { Store } from "../../src/evidence/ports/store.ts";
import { makeClient, type TestClient } from "../support/client.ts";
import { soon } from "../support/server.ts";
import { idsIn, outcomes, request, roomOf, smokeRig, type SmokeRig } from "./rig.ts";

let rig: SmokeRig;

beforeAll(async () => {
  rig = await smokeRig();
});
afterAll(() => rig.stop());

/** A connection whose part something is put into. */
function through(change: (connection: Connection) => Partial<Connection>): TestClient["deps"] {
  return {
    ...rig.client.deps,
    connect: async (store) => {
      const connection = await rig.client.deps.connect(store);
      return { ...connection, ...change(connection) };
    },
  };
}

/** Calls `before` as the step begins. */
function atStep(step: SmokeStepName, before: () => void): TestClient["deps"] {
  return through((connection) => {
    const room = roomOf(connection);
    const { store, register, sharing } = connection;
    const { stranger } = room;
    if (sharing === undefined || stranger === undefined) throw new Error("Not a rig.server.");
    const hooked = <Given extends unknown[], Result>(
      name: SmokeStepName,
      work: (...given: Given) => Promise<Result>,
    ) => {
      return (...given: Given): Promise<Result> => {
        if (name === step) before();
        return work(...given);
      };
    };
    return {
      store: {
        ...store,
        complete: hooked("upload", (...given: Parameters<Store["complete"]>) =>
          store.complete(...given),
        ),
      },
      register: {
        ...register,
        sealRecord: hooked("seal", (...given: Parameters<Register["sealRecord"]>) =>
          register.sealRecord(...given),
        ),
        read: hooked("verify", (...given: Parameters<Register["read"]>) => register.read(...given)),
      },
      sharing: {
        ...sharing,
        create: hooked("share", (...given: Parameters<Sharing["create"]>) =>
          sharing.create(...given),
        ),
        revoke: hooked("revoke", (...given: Parameters<Sharing["revoke"]>) =>
          sharing.revoke(...given),
        ),
      },
      smoke: {
        begin: hooked("begin", (...given: Parameters<SmokeRoom["begin"]>) => room.begin(...given)),
        erase: (entry, signal) => room.erase(entry, signal),
        stranger: {
          open: async (...given) => {
            if (step === "open") before();
            const opened = await stranger.open(...given);
            return {
              ...opened,
              requireDead: hooked("prove-dead", (...given: [AbortSignal]) =>
                opened.requireDead(...given),
              ),
            };
          },
        },
      },
    };
  });
}

describe("a smoke of an exhibit server", () => {
  it("makes the whole round, and leaves nothing but the note that it was there", async () => {
    const smoked = await smoke(rig.client.deps, request, soon());
    expect(smoked.failure).toBeUndefined();
    expect(smoked.steps.map(({ step, outcome }) => [step, outcome])).toEqual(
      smokeSteps.map((step) => [step, "ok"]),
    );
    for (const { ms } of smoked.steps) expect(ms).toBeGreaterThanOrEqual(0);
    expect(smoked.bytes).toBeGreaterThan(64 * 1024);
    expect(await rig.left()).toEqual({});
    const [row] = await rig.server.deps.database.selectFrom("smokes").selectAll().execute();
    expect(row).toMatchObject({ erased_by: rig.officer.identity.id });
    expect(rig.server.log.join("")).toContain('"smoke was erased"');
    await rig.requireEvidence();
  });

  it("leaves sharing out for a partner, and says so", async () => {
    const partner = await rig.server.enrol("partner", { quotaBytes: 1_000_000 });
    const theirs = await makeClient(rig.server.url, partner.machine);
    try {
      const smoked = await smoke(theirs.deps, request, soon());
      expect(smoked.failure).toBeUndefined();
      expect(outcomes(smoked)).toMatchObject({ verify: "ok", share: "left-out", erase: "ok" });
      expect(smoked.steps.find(({ step }) => step === "share")?.words).toBe(
        "partners cannot share",
      );
      const { used_bytes } = await rig.server.deps.database
        .selectFrom("identities")
        .select("used_bytes")
        .where("id", "=", partner.identity.id)
        .executeTakeFirstOrThrow();
      expect(used_bytes).toBe(0);
    } finally {
      await theirs.close();
    }
  });

  it.each<SmokeStepName>([
    "begin",
    "upload",
    "seal",
    "verify",
    "share",
    "open",
    "revoke",
    "prove-dead",
  ])("is erased when the step %s fails, and when it is stopped there", async (step) => {
    const failing = atStep(step, () => {
      throw new Error("broken by the test");
    });
    await expect(smoke(failing, request, soon())).rejects.toThrow("broken by the test");
    expect(await rig.left()).toEqual({});
    const stop = new AbortController();
    const stopped = atStep(step, () => {
      stop.abort(new Error("Ctrl-C"));
    });
    await expect(smoke(stopped, request, stop.signal)).rejects.toThrow("Ctrl-C");
    expect(await rig.left()).toEqual({});
  });

  it("is erased when the time is over, and says so", async () => {
    const slow = atStep("share", () => undefined);
    const smoked = await smoke(
      {
        ...slow,
        connect: async (store) => {
          const connection = await slow.connect(store);
          await aMoment(60);
          return connection;
        },
      },
      { timeoutMs: 50 },
      soon(),
    );
    expect(smoked.failure?.code).toBe("unavailable.store");
    expect(smoked.failure?.message).toMatch(/longer than/);
    expect(await rig.left()).toEqual({});
  });

  it("finds a link that a revocation does not cut", async () => {
    const lying = through(({ sharing }) => ({
      ...(sharing === undefined
        ? {}
        : {
            sharing: {
              ...sharing,
              revoke: async (id: string, _exhibit: string | undefined, signal: AbortSignal) => ({
                share: await sharing.show(id, signal),
                already: false,
                sessionsCut: 0,
                streamsCut: 0,
                originalsTaken: 0,
              }),
            },
          }),
    }));
    const smoked = await smoke(lying, request, soon());
    expect(smoked.failure?.code).toBe("integrity.mismatch");
    expect(outcomes(smoked)).toMatchObject({ revoke: "ok", "prove-dead": "failed", erase: "ok" });
    expect(await rig.left()).toEqual({});
  });

  it("writes nothing where it could not be erased", async () => {
    const smoked = await smoke(
      through(() => ({ smoke: undefined })),
      request,
      soon(),
    );
    expect(smoked.failure?.code).toBe("policy.unsupported");
    expect(outcomes(smoked)).toMatchObject({ begin: "failed", erase: "not-reached" });
  });

  it("is in no list and in no case while it lasts, and is shared with no evidence", async () => {
    const admin = await rig.server.enrol("admin");
    const entry = await rig.begun();
    const connection = await rig.client.deps.connect(undefined);
    expect(await idsIn(rig.client.deps)).toEqual([rig.evidence.id]);
    await expect(
      connection.register.find({ kind: "id", id: entry.id }, soon()),
    ).resolves.toHaveLength(1);
    const seen = await admin.session
      .call({ method: "GET", path: `/v1/exhibits/${entry.id}` }, soon())
      .catch((error: unknown) => error);
    expect(seen).toMatchObject({ code: "not-found.exhibit" });
    await roomOf(connection).erase(entry, soon());
    expect(await rig.left()).toEqual({});
  });
});
