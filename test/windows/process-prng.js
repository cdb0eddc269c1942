// wine 8 has no bcryptprimitives.dll, which Windows has had since version 8 and libsql's binary asks for chance. This makes
// one that only leads on to what wine has: a DLL with an export that is forwarded, and no code ("PE Format", .edata).
import { Buffer } from "node:buffer";

const sectionAt = 0x1000;
const fileAt = 0x200;

/** @returns {Buffer} bcryptprimitives.dll with `ProcessPrng` forwarded to `SystemFunction036` (RtlGenRandom) */
export function processPrngDll() {
  const names = {
    dll: "bcryptprimitives.dll",
    export: "ProcessPrng",
    to: "advapi32.SystemFunction036",
  };
  const table = 40;
  const [addresses, pointers, ordinals] = [table, table + 4, table + 8];
  let end = table + 12;
  const place = (/** @type {string} */ text) => {
    const at = end;
    end += text.length + 1;
    return { text, at };
  };
  const [dll, exported, to] = [place(names.dll), place(names.export), place(names.to)];
  const edata = Buffer.alloc(0x200);
  edata.writeUInt32LE(sectionAt + dll.at, 12);
  // First ordinal, and one function with one name.
  for (const offset of [16, 20, 24]) edata.writeUInt32LE(1, offset);
  edata.writeUInt32LE(sectionAt + addresses, 28);
  edata.writeUInt32LE(sectionAt + pointers, 32);
  edata.writeUInt32LE(sectionAt + ordinals, 36);
  // An address inside the export section is the name that it is forwarded to.
  edata.writeUInt32LE(sectionAt + to.at, addresses);
  edata.writeUInt32LE(sectionAt + exported.at, pointers);
  for (const { text, at } of [dll, exported, to]) edata.write(text, at, "latin1");

  const head = Buffer.alloc(fileAt);
  head.write("MZ", 0, "latin1");
  head.writeUInt32LE(0x40, 0x3c);
  head.write("PE\0\0", 0x40, "latin1");
  const coff = 0x44;
  head.writeUInt16LE(0x8664, coff);
  head.writeUInt16LE(1, coff + 2);
  head.writeUInt16LE(240, coff + 16);
  // Executable, large addresses, DLL.
  head.writeUInt16LE(0x2022, coff + 18);
  const optional = coff + 20;
  head.writeUInt16LE(0x20b, optional);
  head.writeBigUInt64LE(0x180000000n, optional + 24);
  head.writeUInt32LE(0x1000, optional + 32);
  head.writeUInt32LE(0x200, optional + 36);
  for (const offset of [40, 48]) head.writeUInt16LE(6, optional + offset);
  head.writeUInt32LE(0x2000, optional + 56);
  head.writeUInt32LE(fileAt, optional + 60);
  head.writeUInt16LE(3, optional + 68);
  head.writeUInt32LE(16, optional + 108);
  head.writeUInt32LE(sectionAt, optional + 112);
  head.writeUInt32LE(end, optional + 116);
  const section = optional + 240;
  head.write(".edata", section, "latin1");
  head.writeUInt32LE(end, section + 8);
  head.writeUInt32LE(sectionAt, section + 12);
  head.writeUInt32LE(edata.length, section + 16);
  head.writeUInt32LE(fileAt, section + 20);
  head.writeUInt32LE(0x40000040, section + 36);
  return Buffer.concat([head, edata]);
}
