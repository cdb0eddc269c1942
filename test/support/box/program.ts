import { writeFile } from "node:fs/promises";
import process, { argv, env, stdout } from "node:process";
import { startBox } from "./box.ts";
import { connectProxy } from "./connect-proxy.ts";

// A simulated Box as a process of its own: prints one line of JSON with all that a client needs, and runs until SIGTERM.
// program.js [--tls] [--no-validate] [--part-size BYTES] [--any-upload-host]; BOX_CA_FILE is where the authority's certificate goes.

const flag = (name: string) => argv.includes(name);
const partSize = flag("--part-size") ? Number(argv[argv.indexOf("--part-size") + 1]) : undefined;
const tls = flag("--tls");
const box = await startBox({
  tls,
  settings: {
    validate: !flag("--no-validate"),
    sessionsOnUploadHost: flag("--any-upload-host"),
    ...(partSize === undefined ? {} : { partBytes: partSize }),
  },
});
const proxy = tls ? await connectProxy(box) : undefined;
const caFile = env["BOX_CA_FILE"];
if (box.caPem !== undefined && caFile !== undefined) await writeFile(caFile, box.caPem);
const { admin, officer, partner, service } = box.users;
const folderId = box.folder(officer, "Cases");
const { clientId, clientSecret } = box.app;
const line = {
  api: box.apiUrl,
  upload: box.uploadUrl,
  session: box.sessionUrl,
  download: box.downloadUrl,
  authorize: box.authorizeUrl,
  proxy: proxy?.url ?? null,
  caFile: tls ? (caFile ?? null) : null,
  clientId,
  clientSecret,
  enterpriseId: box.enterpriseId,
  users: { admin: admin.id, officer: officer.id, partner: partner.id, service: service.id },
  developerToken: box.developerToken(officer),
  adminToken: box.developerToken(admin),
  folderId,
  fileRequestId: box.fileRequest(officer, folderId),
};
stdout.write(`${JSON.stringify(line)}\n`);

process.once("SIGTERM", () => {
  void Promise.all([proxy?.close(), box.close()]);
});
