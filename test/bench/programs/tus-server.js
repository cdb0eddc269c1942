// A tus server on a folder: node tus-server.js FOLDER PORT [CERT KEY]
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { createServer as createTlsServer } from "node:https";
import { FileStore } from "@tus/file-store";
import { Server } from "@tus/server";

const [folder = "", port = "", cert, key] = process.argv.slice(2);
const tus = new Server({
  path: "/files",
  datastore: new FileStore({ directory: folder }),
  // It takes itself to be reached by plain http, otherwise, and its client then goes there.
  relativeLocation: true,
});
/** @type {import("node:http").RequestListener} */
const listener = (request, response) => void tus.handle(request, response);
const server =
  cert === undefined || key === undefined
    ? createServer(listener)
    : createTlsServer({ cert: readFileSync(cert), key: readFileSync(key) }, listener);
server.listen(Number(port), "127.0.0.1");
process.once("SIGTERM", () => {
  server.close();
  server.closeAllConnections();
});
