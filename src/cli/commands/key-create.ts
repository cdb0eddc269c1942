import { writeFile } from "node:fs/promises";
import path from "node:path";
import { createKey } from "../../app/key-login.ts";
import { publicKeyType, type PublicKeyFile } from "../../app/identity-enrol.ts";
import { ExhibitError } from "../../evidence/errors.ts";
import { thumbprintOf } from "../../evidence/seal.ts";
import type { Context } from "../context.ts";
import { wantsJson, withClient } from "../given.ts";
import type { Typed } from "../input.ts";
import { note, printResult } from "../ui/result.ts";
import { visible } from "../ui/visible.ts";

/** `exhibit key create FILE`: safe to repeat, a key that is there stays. */
export async function run(context: Context, typed: Typed): Promise<undefined> {
  const { terminal } = context;
  const json = wantsJson(typed);
  const keyFile = path.resolve(String(typed.args[0]));
  const inFile = { ...typed, options: { ...typed.options, keyFile } };
  const key = await withClient(context, inFile, createKey);
  const document: PublicKeyFile = {
    schema: publicKeyType,
    key,
    thumbprint: await thumbprintOf(key),
  };
  const publicFile = `${keyFile}.pub`;
  try {
    await writeFile(publicFile, `${JSON.stringify(document)}\n`);
  } catch (cause) {
    throw new ExhibitError("usage.invalid", `${publicFile} cannot be written.`, {
      hint: "The key itself is made. Make room for its public half, and run the same command again.",
      cause,
    });
  }
  printResult(terminal, json, { ...document, keyFile, publicFile }, () => [document.thumbprint]);
  note(
    terminal,
    json,
    `The key is in ${visible(keyFile)}: keep it here, for this account alone.`,
    `Its public half is ${visible(publicFile)}: give it to the server's administrator, who runs`,
    "",
    `  exhibit identity enrol ${visible(path.basename(publicFile))} --role partner --org NAME`,
  );
}
