import { readFileSync } from "node:fs";
import { rootCertificates as own } from "node:tls";

export * from "node:tls";
export { default } from "node:tls";
export const rootCertificates = [
  ...own,
  readFileSync(process.env["NODE_EXTRA_CA_CERTS"] ?? "", "utf8"),
];
