import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";

/** PEM texts of an authority made for the occasion, and of a server that it vouches for. */
export interface Certificates {
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
}

/** Names that clients know Box by, so that they can be led here by a proxy. */
const names = [
  ...["api.box.com", "upload.box.com", "account.box.com", "dl.boxcloud.com", "localhost"],
  "fupload-ec2.app.box.com",
];
let made: Certificates | undefined;

/** Made once for each process. */
export function boxCertificates(): Certificates {
  made ??= make();
  return made;
}

function make(): Certificates {
  const folder = mkdtempSync(path.join(tmpdir(), "exhibit-box-ca-"));
  const file = (name: string) => path.join(folder, name);
  const curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
  const openssl = (...args: string[]) => execFileSync("openssl", args, { stdio: "ignore" });
  try {
    const authority = ["-keyout", file("ca-key.pem"), "-out", file("ca.pem")];
    openssl("req", "-x509", ...curve, "-days", "2", "-subj", "/CN=Test CA", ...authority);
    const request = ["-keyout", file("key.pem"), "-out", file("request.pem")];
    openssl("req", ...curve, "-subj", "/CN=api.box.com", ...request);
    const alternatives = ["IP:127.0.0.1", ...names.map((name) => `DNS:${name}`)].join(",");
    writeFileSync(file("extensions"), `subjectAltName=${alternatives}\n`);
    const signed = ["-CA", file("ca.pem"), "-CAkey", file("ca-key.pem"), "-CAcreateserial"];
    const out = ["-days", "2", "-extfile", file("extensions"), "-out", file("cert.pem")];
    openssl("x509", "-req", "-in", file("request.pem"), ...signed, ...out);
    const text = (name: string) => readFileSync(file(name), "utf8");
    return { ca: text("ca.pem"), cert: text("cert.pem"), key: text("key.pem") };
  } finally {
    rmSync(folder, { recursive: true });
  }
}
