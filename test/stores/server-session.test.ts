import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { accountsOf } from "../../src/stores/server/accounts.ts";
import { soon, startServer, type TestServer } from "../support/server.ts";

let server: TestServer;
beforeAll(async () => {
  server = await startServer();
});
afterAll(async () => {
  await server.stop();
});

describe("a session", () => {
  it("enrols and knows itself", async () => {
    const officer = await server.enrol("officer");
    expect(await accountsOf(officer.session).me(soon())).toEqual(officer.identity);
  });
});
