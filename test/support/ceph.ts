import { randomBytes, randomUUID } from "node:crypto";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { newEngine, output, type Engine } from "./engine.ts";
import { freePort } from "./free-port.ts";

/** Somebody with keys to the engine. */
export interface CephUser {
  readonly id: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

/** A Ceph cluster of one monitor, one OSD that keeps everything in memory, and the S3 gateway, all on loopback. */
export interface Ceph {
  /** The process whose children the daemons are. */
  readonly pid: number;
  /** The gateway without TLS. */
  readonly url: string;
  /** The gateway with TLS, and who signed its certificate. */
  readonly tls: { readonly url: string; readonly caFile: string };
  /** The key id that SSE-KMS knows. */
  readonly kmsKeyId: string;
  addUser(): Promise<CephUser>;
  /** From now on the user's objects may take so many bytes together. */
  limit(user: CephUser, maxBytes: number): Promise<void>;
  suspend(user: CephUser): Promise<void>;
  /** Ends the gateway by SIGKILL. What it had acknowledged stays. */
  killGateway(): Promise<void>;
  /** Starts it again on the same ports; returns when it answers. */
  startGateway(): Promise<void>;
  /** Takes deleted data out of the memory now. */
  collectGarbage(): Promise<void>;
  close(): Promise<void>;
}

/**
 * Boots a cluster of its own in about two seconds. Several may run side by side.
 *
 * @param httpPort - where the gateway listens without TLS; a free one by default
 */
export async function bootCeph(httpPort?: number): Promise<Ceph> {
  const engine = await newEngine("ceph");
  try {
    return await boot(engine, httpPort);
  } catch (error) {
    await engine.close();
    throw error;
  }
}

const kmsKeyId = "testkey-1";

async function boot(engine: Engine, httpPort?: number): Promise<Ceph> {
  const conf = path.join(engine.folder, "ceph.conf");
  const [monitor, https] = [await freePort(), await freePort()];
  const http = httpPort ?? (await freePort());
  const fsid = randomUUID();
  for (const daemon of ["mon", "osd", "rgw"]) await mkdir(path.join(engine.folder, daemon));
  const caFile = await certify(engine.folder);
  await writeFile(conf, configuration({ folder: engine.folder, fsid, monitor, http, https }));

  const map = path.join(engine.folder, "monmap");
  const address = `[v2:127.0.0.1:${monitor}]`;
  await output("monmaptool", ["--create", "--addv", "a", address, "--fsid", fsid, map]);
  await output("ceph-mon", ["-i", "a", "--mkfs", "-c", conf, "--monmap", map]);
  await engine.start("mon", ["ceph-mon", "-f", "-i", "a", "-c", conf]);
  await engine.listens("mon", monitor);
  await output("ceph", ["-c", conf, "osd", "create"]);
  await output("ceph-osd", ["-i", "0", "-c", conf, "--mkfs"]);
  await engine.start("osd", ["ceph-osd", "-f", "-i", "0", "-c", conf]);

  const startGateway = async (): Promise<void> => {
    await engine.start("radosgw", ["radosgw", "-f", "-n", "client.rgw.a", "-c", conf]);
    await engine.listens("radosgw", http);
    await engine.listens("radosgw", https);
  };
  await startGateway();
  const admin = (...argv: string[]): Promise<string> =>
    output("radosgw-admin", ["-n", "client.rgw.a", "-c", conf, ...argv]);
  return {
    pid: engine.pid,
    url: `http://127.0.0.1:${http}`,
    tls: { url: `https://127.0.0.1:${https}`, caFile },
    kmsKeyId,
    async addUser() {
      const id = `user-${randomBytes(4).toString("hex")}`;
      const accessKeyId = randomBytes(10).toString("hex").toUpperCase();
      const secretAccessKey = randomBytes(20).toString("hex");
      const keys = [`--access-key=${accessKeyId}`, `--secret-key=${secretAccessKey}`];
      await admin("user", "create", `--uid=${id}`, `--display-name=${id}`, ...keys);
      return { id, accessKeyId, secretAccessKey };
    },
    async limit({ id }, maxBytes) {
      const whose = ["--quota-scope=user", `--uid=${id}`];
      await admin("quota", "set", ...whose, `--max-size=${maxBytes}`);
      await admin("quota", "enable", ...whose);
    },
    async suspend({ id }) {
      await admin("user", "suspend", `--uid=${id}`);
    },
    killGateway: () => engine.kill("radosgw"),
    startGateway,
    async collectGarbage() {
      await admin("gc", "process", "--include-all");
    },
    close: () => engine.close(),
  };
}

/** A CA, and the gateway's certificate and key in one file. Gives the CA's certificate. */
async function certify(folder: string): Promise<string> {
  const file = (name: string): string => path.join(folder, name);
  const ec = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"];
  // prettier-ignore
  await output("openssl", [
    "req", "-x509", ...ec, "-subj", "/CN=Test CA", "-keyout", file("ca.key"), "-out", file("ca.pem"),
  ]);
  // prettier-ignore
  await output("openssl", [
    "req", "-x509", ...ec, "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1",
    "-addext", "basicConstraints=critical,CA:false", "-CA", file("ca.pem"), "-CAkey", file("ca.key"),
    "-keyout", file("gateway.key"), "-out", file("gateway.crt"),
  ]);
  const both = await Promise.all([readFile(file("gateway.crt")), readFile(file("gateway.key"))]);
  await writeFile(file("gateway.pem"), Buffer.concat(both), { mode: 0o600 });
  return file("ca.pem");
}

function configuration(cluster: {
  readonly folder: string;
  readonly fsid: string;
  readonly monitor: number;
  readonly http: number;
  readonly https: number;
}): string {
  const { folder, fsid, monitor, http, https } = cluster;
  return `[global]
fsid = ${fsid}
mon_host = [v2:127.0.0.1:${monitor}]
public_network = 127.0.0.0/8
cluster_network = 127.0.0.0/8
auth_cluster_required = none
auth_service_required = none
auth_client_required = none
# The gateway asks for a connection with keys by default, and without keys waits for one for ever.
ms_mon_client_mode = crc
ms_crc_data = false
admin_socket =
log_file = ${folder}/log/$name.log
log_to_stderr = false
mon_data_avail_warn = 1
mon_data_avail_crit = 1
mon_max_pg_per_osd = 1000
mon_allow_pool_size_one = true
osd_pool_default_size = 1
osd_pool_default_min_size = 1
osd_pool_default_pg_num = 1
osd_pool_default_pgp_num = 1
osd_pool_default_pg_autoscale_mode = off
osd_crush_chooseleaf_type = 0
# The gateway makes eight pools on its first start; each waits for a proposal.
paxos_propose_interval = 0.02
paxos_min_wait = 0.01
debug_mon = 0/0
debug_osd = 0/0
debug_rgw = 0/0
debug_ms = 0/0
debug_objecter = 0/0

[mon.a]
mon_data = ${folder}/mon

[osd.0]
osd_data = ${folder}/osd
osd_objectstore = memstore
memstore_device_bytes = 8589934592

[client.rgw.a]
rgw_data = ${folder}/rgw
rgw_frontends = beast endpoint=127.0.0.1:${http} ssl_endpoint=127.0.0.1:${https} ssl_certificate=${folder}/gateway.pem
rgw_enable_apis = s3, sts, iam, admin
rgw_dynamic_resharding = false
rgw_crypt_require_ssl = false
rgw_crypt_s3_kms_backend = testing
rgw_crypt_s3_kms_encryption_keys = ${kmsKeyId}=YmluCmJvb3N0CmJvb3N0LWJ1aWxkCmNlcGguY29uZgo=
# Deleted data leaves the memory after seconds, not hours.
rgw_gc_obj_min_wait = 5
rgw_gc_processor_period = 5
rgw_max_chunk_size = 16777216
rgw_obj_stripe_size = 16777216
rgw_put_obj_min_window_size = 67108864
rgw_put_obj_max_window_size = 134217728
`;
}
