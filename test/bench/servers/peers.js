// The servers of what people use today, each on a folder of its own.
import { mkdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { freePort, startServer } from "./running.js";

/**
 * @typedef {object} PeerServer
 * @property {string} url where files go, without a slash at its end
 * @property {number} pid
 * @property {string} content the folder that files end up in
 * @property {() => Promise<void>} stop
 *
 * @typedef {import("../certificates.js").Certificates | undefined} Tls
 */

/**
 * @tus/server with its file store.
 *
 * @param {string} folder
 * @param {Tls} tls
 * @returns {Promise<PeerServer>}
 */
export async function startTus(folder, tls) {
  const { content, port, log, base } = await place(folder, tls);
  const program = fileURLToPath(new URL("../programs/tus-server.js", import.meta.url));
  const secure = tls === undefined ? [] : [tls.cert, tls.key];
  const command = [process.execPath, program, content, String(port), ...secure];
  const running = await startServer(command, { port, log });
  return { ...running, url: `${base}/files`, content };
}

/**
 * `rclone serve webdav`.
 *
 * @param {string} folder
 * @param {Tls} tls
 * @returns {Promise<PeerServer>}
 */
export async function startRclone(folder, tls) {
  const { content, port, log, base } = await place(folder, tls);
  const secure = tls === undefined ? [] : ["--cert", tls.cert, "--key", tls.key];
  const running = await startServer(
    ["rclone", "serve", "webdav", content, "--addr", `127.0.0.1:${port}`, "-q", ...secure],
    { port, log, env: { ...process.env, RCLONE_CONFIG: "/dev/null" } },
  );
  return { ...running, url: base, content };
}

/**
 * nginx with its WebDAV module.
 *
 * @param {string} folder
 * @param {Tls} tls
 * @returns {Promise<PeerServer>}
 */
export async function startNginx(folder, tls) {
  const { content, port, log, base } = await place(folder, tls);
  const secure =
    tls === undefined ? "" : `ssl_certificate ${tls.cert}; ssl_certificate_key ${tls.key};`;
  const configuration = path.join(folder, "nginx.conf");
  await writeFile(
    configuration,
    `daemon off; worker_processes 2; pid ${folder}/nginx.pid; error_log ${log};
${process.getuid?.() === 0 ? "user root;" : ""}
events { worker_connections 256; }
http {
  access_log off; client_max_body_size 0; keepalive_requests 1000000;
  client_body_temp_path ${folder}/body; proxy_temp_path ${folder}/p; fastcgi_temp_path ${folder}/f;
  uwsgi_temp_path ${folder}/u; scgi_temp_path ${folder}/s;
  server {
    listen 127.0.0.1:${port}${tls === undefined ? "" : " ssl"}; ${secure}
    root ${content};
    location / { dav_methods PUT; create_full_put_path on; }
  }
}
`,
  );
  const running = await startServer(["nginx", "-p", folder, "-c", configuration, "-e", log], {
    port,
    log,
  });
  return { ...running, url: base, content };
}

/**
 * @param {string} folder
 * @param {Tls} tls
 */
async function place(folder, tls) {
  const content = path.join(folder, "content");
  await mkdir(content, { recursive: true });
  const port = await freePort();
  const base = `${tls === undefined ? "http" : "https"}://127.0.0.1:${port}`;
  return { content, port, log: path.join(folder, "log"), base };
}
