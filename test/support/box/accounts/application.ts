import { createPrivateKey, generateKeyPairSync, randomBytes } from "node:crypto";

/** The application as the developer console shows it. */
export interface Application {
  readonly clientId: string;
  readonly clientSecret: string;
  /** Besides these exact ones, any port of the loopback host. */
  readonly redirectUris: string[];
  readonly enterpriseId: string;
  readonly jwt: {
    readonly keyId: string;
    readonly passphrase: string;
    /** Encrypted with the passphrase, as in the file that the console offers. */
    readonly encryptedPrivateKey: string;
    readonly privateKey: string;
    readonly publicKey: string;
  };
}

let keys: Pick<Application["jwt"], "privateKey" | "publicKey"> | undefined;

export function newApplication(enterpriseId: string): Application {
  const passphrase = randomBytes(16).toString("hex");
  keys ??= generateKeyPairSync("rsa", {
    modulusLength: 2048,
    publicKeyEncoding: { type: "spki", format: "pem" },
    privateKeyEncoding: { type: "pkcs8", format: "pem" },
  });
  return {
    clientId: randomBytes(16).toString("hex"),
    clientSecret: randomBytes(16).toString("hex"),
    redirectUris: [],
    enterpriseId,
    jwt: {
      keyId: randomBytes(4).toString("hex"),
      passphrase,
      encryptedPrivateKey: encrypted(keys.privateKey, passphrase),
      ...keys,
    },
  };
}

/** The file that the console offers for sign-in by JWT. */
export function configFile(app: Application): Record<string, unknown> {
  const { keyId, encryptedPrivateKey, passphrase } = app.jwt;
  return {
    boxAppSettings: {
      clientID: app.clientId,
      clientSecret: app.clientSecret,
      appAuth: { publicKeyID: keyId, privateKey: encryptedPrivateKey, passphrase },
    },
    enterpriseID: app.enterpriseId,
  };
}

function encrypted(privateKey: string, passphrase: string): string {
  return createPrivateKey(privateKey)
    .export({ type: "pkcs8", format: "pem", cipher: "aes-256-cbc", passphrase })
    .toString();
}
