import { randomInt } from "node:crypto";

/** No character that can be taken for another: no 0, 1, I, O, S, Z, B. */
const alphabet = "23456789ACDEFGHJKLMNPQRTUVWXY";
const codeLength = 8;
/** Ids are read off pictures by machines too, which take 5 and 9 for the S in front: OCR reads `S99` as `SSS`. */
const idAlphabet = alphabet.replace(/[59]/g, "");

function pick(length: number, from: string): string {
  return Array.from({ length }, () => from.charAt(randomInt(from.length))).join("");
}

/** A share's public id: `S` and nine characters that OCR and a tired reader tell apart. It opens nothing. */
export function newShareId(): string {
  return `S${pick(9, idAlphabet)}`;
}

/** An access code as it is read out over the telephone: `K7QW-3M9T`, 38 random bits. */
export function newCode(): string {
  return `${pick(codeLength / 2, alphabet)}-${pick(codeLength / 2, alphabet)}`;
}
