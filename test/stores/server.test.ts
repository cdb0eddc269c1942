import { exhibitPrefix } from "../../src/evidence/key.ts";
import { openSession } from "../../src/stores/server/session.ts";
import { registerOf } from "../../src/stores/server/register.ts";
import { storeOf } from "../../src/stores/server/store.ts";
import { describeStore } from "../contracts/store.ts";
import { soon, startServer } from "../support/server.ts";

describeStore("exhibit server", async () => {
  const server = await startServer();
  const partner = await server.enrol("partner");
  const register = registerOf(partner.session);
  const entries = await Promise.all(
    // As text "A-B/" comes before "A/": the order of keys, not of cases.
    ["A-B", "A"].map((caseRef) =>
      register.reserve(
        {
          case: caseRef,
          reference: "ABC/1",
          initials: undefined,
          sourceId: "the store contract",
          totalBytes: 2 ** 40,
        },
        soon(),
      ),
    ),
  );
  let ordinal = 0;
  return {
    open: async () => storeOf(await openSession(server.url, partner.machine, soon())),
    newKey: (exhibit = "a") => {
      ordinal += 1;
      const entry = entries[exhibit === "a" ? 0 : 1];
      const name = `ABC_1-${String(ordinal).padStart(4, "0")}.bin`;
      return `${exhibitPrefix(entry?.case ?? "", entry?.reference ?? "")}/${name}`;
    },
    close: () => server.stop(),
  };
});
