// A certificate for 127.0.0.1 from an authority of its own, which clients are told to trust.
import { execFileSync } from "node:child_process";
import { writeFile } from "node:fs/promises";
import path from "node:path";

/** @typedef {{ ca: string, cert: string, key: string }} Certificates paths of PEM files */

/**
 * @param {string} folder
 * @returns {Promise<Certificates>}
 */
export async function makeCertificates(folder) {
  const file = (/** @type {string} */ name) => path.join(folder, name);
  const curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
  openssl(
    "req",
    "-x509",
    ...curve,
    "-days",
    "2",
    "-subj",
    "/CN=Bench CA",
    ...["-keyout", file("ca-key.pem")],
    ...["-out", file("ca.pem")],
  );
  openssl(
    "req",
    ...curve,
    "-subj",
    "/CN=127.0.0.1",
    "-keyout",
    file("key.pem"),
    "-out",
    file("request.pem"),
  );
  await writeFile(file("extensions"), "subjectAltName=IP:127.0.0.1\n");
  openssl(
    "x509",
    "-req",
    "-in",
    file("request.pem"),
    "-CA",
    file("ca.pem"),
    "-CAkey",
    file("ca-key.pem"),
    "-CAcreateserial",
    "-days",
    "2",
    "-extfile",
    file("extensions"),
    "-out",
    file("cert.pem"),
  );
  return { ca: file("ca.pem"), cert: file("cert.pem"), key: file("key.pem") };
}

/** @param {...string} args */
function openssl(...args) {
  execFileSync("openssl", args, { stdio: "ignore" });
}
