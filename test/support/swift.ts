import { mkdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { newEngine, output, type Engine } from "./engine.ts";
import { freePort } from "./free-port.ts";

/** OpenStack Swift with its S3 interface on loopback, its objects in a folder. */
export interface Swift {
  readonly url: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  close(): Promise<void>;
}

/** Boots a Swift of its own. Several may run side by side. Root only: each sees a /etc/swift of its own. */
export async function bootSwift(): Promise<Swift> {
  const engine = await newEngine("swift");
  try {
    return await boot(engine);
  } catch (error) {
    await engine.close();
    throw error;
  }
}

const rings = fileURLToPath(new URL("swift-rings.py", import.meta.url));
const servers = ["object", "container", "account"] as const;

async function boot(engine: Engine): Promise<Swift> {
  const etc = path.join(engine.folder, "etc");
  await mkdir(etc);
  await mkdir(path.join(engine.folder, "node", "d1"), { recursive: true });
  const [proxy, memcached] = [await freePort(), await freePort()];
  await writeFile(path.join(etc, "swift.conf"), common);
  await writeFile(
    path.join(etc, "proxy-server.conf"),
    proxyServer(engine.folder, proxy, memcached),
  );
  const ports = await Promise.all(
    servers.map(async (name) => {
      const port = await freePort();
      await writeFile(path.join(etc, `${name}-server.conf`), server(engine.folder, name, port));
      return [name, port] as const;
    }),
  );
  // Debian's own Python, which its packages belong to; another may come before it on the path.
  await output("/usr/bin/python3", [rings, etc, ...ports.map(([name, port]) => `${name}:${port}`)]);
  // prettier-ignore
  await engine.start("memcached", [
    "memcached", "-l", "127.0.0.1", "-p", String(memcached), "-U", "0", "-m", "64", "-u", "root",
  ]);
  await Promise.all(
    [...ports, ["proxy", proxy] as const].map(async ([name, port]) => {
      await engine.start(name, apart(etc, `swift-${name}-server`, `${name}-server.conf`));
      await engine.listens(name, port);
    }),
  );
  return {
    url: `http://127.0.0.1:${proxy}`,
    accessKeyId: "lab:lab",
    secretAccessKey: "labsecret",
    close: () => engine.close(),
  };
}

/** Swift reads /etc/swift/swift.conf and nothing else, so this folder takes its place, for this process alone. */
function apart(etc: string, program: string, conf: string): readonly string[] {
  const script = 'mount --bind "$0" /etc/swift && exec "$@"';
  return ["unshare", "-m", "sh", "-c", script, etc, program, path.join(etc, conf)];
}

const common = `[swift-hash]
swift_hash_path_suffix = test
swift_hash_path_prefix = test
[storage-policy:0]
name = one
default = yes
[swift-constraints]
max_file_size = 5368709122
`;

function server(folder: string, name: (typeof servers)[number], port: number): string {
  return `[DEFAULT]
bind_ip = 127.0.0.1
bind_port = ${port}
user = root
swift_dir = ${folder}/etc
devices = ${folder}/node
mount_check = false
disable_fallocate = true
workers = ${name === "object" ? 2 : 1}
log_level = ERROR
log_address = ${folder}/no-log
[pipeline:main]
pipeline = ${name}-server
[app:${name}-server]
use = egg:swift#${name}
mb_per_sync = 0
network_chunk_size = 1048576
disk_chunk_size = 1048576
fallocate_reserve = 0
recon_cache_path = ${folder}/etc
`;
}

function proxyServer(folder: string, port: number, memcached: number): string {
  const filters: Readonly<Record<string, readonly string[]>> = {
    catch_errors: [],
    gatekeeper: [],
    healthcheck: [],
    cache: [`memcache_servers = 127.0.0.1:${memcached}`],
    listing_formats: [],
    bulk: [],
    tempurl: [],
    s3api: [
      "s3_acl = false",
      "location = us-east-1",
      "min_segment_size = 5242880",
      "max_upload_part_num = 10000",
      "check_bucket_owner = false",
    ],
    tempauth: ["user_lab_lab = labsecret .admin"],
    copy: [],
    "container-quotas": [],
    "account-quotas": [],
    slo: [],
    dlo: [],
    versioned_writes: ["allow_object_versioning = true"],
    symlink: [],
  };
  const called: Readonly<Record<string, string>> = { cache: "memcache" };
  const sections = Object.entries(filters).flatMap(([name, lines]) => [
    `[filter:${name}]`,
    `use = egg:swift#${(called[name] ?? name).replaceAll("-", "_")}`,
    ...lines,
  ]);
  return `[DEFAULT]
bind_ip = 127.0.0.1
bind_port = ${port}
user = root
swift_dir = ${folder}/etc
workers = 2
log_level = ERROR
log_address = ${folder}/no-log
[pipeline:main]
pipeline = ${Object.keys(filters).join(" ")} proxy-server
[app:proxy-server]
use = egg:swift#proxy
allow_account_management = true
account_autocreate = true
client_chunk_size = 1048576
object_chunk_size = 1048576
${sections.join("\n")}
`;
}
