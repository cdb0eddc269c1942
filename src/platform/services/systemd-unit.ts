import type { Service } from "../../evidence/ports/services.ts";

/** What runs a service, and in what environment. Nothing secret is in it. */
export interface ServiceProgram {
  /** Node, and the file of the program. */
  readonly command: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

/** Exit codes after which another try would end alike: all but 7 (the store is gone) for what ends, and mistakes and sign-in for what stays. */
const noUseTryingAgain = { ends: "1 2 3 4 5 6 8 9", stays: "2 4" } as const;

/**
 * A unit for systemd's user manager (systemd.service(5)). The hardening is what works there without rights: no new privileges, no
 * other kinds of sockets than the network and this machine's own; memory that is written and run stays allowed, since Node needs it.
 */
export function systemdUnit({ description, argv, kind }: Service, program: ServiceProgram): string {
  const environment = Object.entries(program.env).map(
    ([name, value]) => `Environment=${quoted(`${name}=${value}`, false)}`,
  );
  const words = [...program.command, ...argv].map((word) => quoted(word, true));
  return `${[
    "[Unit]",
    `Description=${description}`,
    "After=network-online.target",
    "",
    "[Service]",
    `Type=${kind === "ends" ? "oneshot" : "exec"}`,
    ...environment,
    `ExecStart=${words.join(" ")}`,
    "Restart=on-failure",
    `RestartSec=${kind === "ends" ? 60 : 30}`,
    "SuccessExitStatus=130 143",
    `RestartPreventExitStatus=${noUseTryingAgain[kind]}`,
    "UMask=0077",
    "NoNewPrivileges=yes",
    "RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK",
    "RestrictRealtime=yes",
    "RestrictSUIDSGID=yes",
    "LockPersonality=yes",
    "SystemCallArchitectures=native",
    "",
    "[Install]",
    "WantedBy=default.target",
  ].join("\n")}\n`;
}

/** A word as systemd.syntax(7) and systemd.service(5) have it: specifiers and, in command lines, variables are kept from being expanded. */
function quoted(word: string, isCommand: boolean): string {
  const escaped = word
    .replace(/[\\"]/g, "\\$&")
    .replaceAll("%", "%%")
    .replaceAll("$", isCommand ? "$$$$" : "$")
    .replaceAll("\n", "\\n")
    .replaceAll("\t", "\\t")
    .replaceAll("\r", "\\r");
  return `"${escaped}"`;
}
