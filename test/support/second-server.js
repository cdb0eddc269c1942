// A server of its own process on a folder that another one may be using: node second-server.js FOLDER PUBLIC-URL
// Prints its address once it listens and ends with its standard input. Runs what `npm run build` made.
import { Kysely } from "kysely";
import { pino } from "pino";
import { newPrivateJwk, signingKey } from "../../dist/evidence/seal.js";
import { sqliteDialect } from "../../dist/platform/sqlite.js";
import { migrate } from "../../dist/server/database/migrate.js";
import { createServer } from "../../dist/server/server.js";
import { openDirectoryStore } from "../../dist/stores/directory/store.js";

const [folder = "", publicUrl = ""] = process.argv.slice(2);
const database = new Kysely({ dialect: sqliteDialect(`${folder}/exhibit.sqlite`) });
await migrate(database);
const app = await createServer(
  {
    content: await openDirectoryStore(folder),
    database,
    key: await signingKey(await newPrivateJwk()),
    retiredKeys: [],
    clock: { now: () => new Date() },
    settings: {
      publicUrl,
      organisation: "Test Police",
      version: "0.0.0-test",
      trustProxy: [],
      expireUploadsMs: 86_400_000,
      scratch: `${folder}/scratch`,
    },
  },
  pino({ level: "silent" }),
);
process.stdout.write(`${await app.listen({ host: "127.0.0.1", port: 0 })}\n`);
process.stdin.resume().once("end", () => {
  void app.close().then(() => database.destroy());
});
