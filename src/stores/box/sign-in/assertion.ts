import { createPrivateKey, type KeyObject } from "node:crypto";
import { SignJWT } from "jose";
import { z } from "zod";
import { ExhibitError } from "../../../evidence/errors.ts";
import { randomId } from "../../../evidence/random-id.ts";
import type { KeyLogin } from "./kept-login.ts";

/** The one audience that Box takes, whichever host it is asked at. */
const audience = "https://api.box.com/oauth2/token";
/** Box takes 60 s at most, by its own clock. */
const lifeSeconds = 30;

/** As Box's developer console gives it; what else is in it means nothing here. */
const settingsSchema = z.object({
  boxAppSettings: z.object({
    clientID: z.string().min(1),
    clientSecret: z.string().min(1),
    appAuth: z.object({
      publicKeyID: z.string().min(1),
      privateKey: z.string().min(1),
      passphrase: z.string().default(""),
    }),
  }),
  enterpriseID: z.coerce.string().optional(),
});

/**
 * Reads the file of the developer console into a login as a user, or as the application's own account.
 *
 * @throws ExhibitError `usage.invalid`, which quotes nothing of it
 */
export function keyLogin(text: string, userId: string | undefined): KeyLogin {
  const settings = settingsSchema.safeParse(parseJson(text));
  if (!settings.success) {
    const where = settings.error.issues[0]?.path.join(".") ?? "";
    throw notSettings(where === "" ? "It is not JSON of that kind." : `${where} is missing.`);
  }
  const { boxAppSettings, enterpriseID } = settings.data;
  const { clientID, clientSecret, appAuth } = boxAppSettings;
  if (userId === undefined && !/^[1-9]\d*$/.test(enterpriseID ?? "")) {
    throw notSettings("enterpriseID is missing, and no user is named with --box-user.");
  }
  const login: KeyLogin = {
    by: "key",
    clientId: clientID,
    clientSecret,
    keyId: appAuth.publicKeyID,
    privateKey: appAuth.privateKey,
    passphrase: appAuth.passphrase,
    subject:
      userId === undefined
        ? { type: "enterprise", id: enterpriseID ?? "" }
        : { type: "user", id: userId },
  };
  openKey(login);
  return login;
}

/** The signed statement that stands for a login with a key (RFC 7523), good for 30 s from `now`, Box's time. */
export async function assertion(login: KeyLogin, now: Date): Promise<string> {
  return new SignJWT({ box_sub_type: login.subject.type })
    .setProtectedHeader({ alg: "RS512", typ: "JWT", kid: login.keyId })
    .setIssuer(login.clientId)
    .setSubject(login.subject.id)
    .setAudience(audience)
    .setJti(randomId("", 40))
    .setExpirationTime(Math.floor(now.getTime() / 1000) + lifeSeconds)
    .sign(openKey(login));
}

function openKey({ privateKey, passphrase }: KeyLogin): KeyObject {
  let key;
  try {
    key = createPrivateKey({ key: privateKey, format: "pem", passphrase });
  } catch {
    throw notSettings("Its private key cannot be opened with its passphrase.");
  }
  if (key.asymmetricKeyType === "rsa") return key;
  throw notSettings("Its private key is not an RSA key.");
}

function notSettings(why: string): ExhibitError {
  return new ExhibitError(
    "usage.invalid",
    `The file given with --box-jwt is not the settings of an application of Box. ${why}`,
    {
      hint: 'Download it anew from Box\'s developer console: Configuration, "Generate a Public/Private Keypair".',
    },
  );
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
