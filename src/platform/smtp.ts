import { rootCertificates } from "node:tls";
import MailComposer from "nodemailer/lib/mail-composer";
import SMTPConnection from "nodemailer/lib/smtp-connection";
import type { Mail, MailFate, OutgoingMail } from "../evidence/ports/mail.ts";
import type { SmtpAddress } from "../evidence/smtp-address.ts";

export interface SmtpSettings {
  readonly address: SmtpAddress;
  readonly password: string | undefined;
  /** The address that mails are from. */
  readonly from: string;
  /** Certificates in PEM that are trusted beside the usual ones. */
  readonly caPem: string | undefined;
}

/** A server that is slower than this is asked again later. */
const limits = { connectionTimeout: 10_000, greetingTimeout: 20_000, socketTimeout: 40_000 };

/** And one that gives a byte now and then, after this. */
const longestMailMs = 3 * 60_000;

/** What the library tells of a failure. */
interface SmtpError {
  readonly message: string;
  readonly code?: string | undefined;
  readonly response?: string | undefined;
  readonly responseCode?: number | undefined;
  readonly command?: string | undefined;
}

/** Sends each mail over a connection of its own to the mail server at one address (RFC 5321), in `mostMs` at most. */
export function smtpMail(settings: SmtpSettings, mostMs = longestMailMs): Mail {
  return {
    async send(mail, signal) {
      signal.throwIfAborted();
      const raw = await compose(mail, settings.from);
      try {
        await handIn(settings, { to: mail.to.address, raw, mostMs }, signal);
        return { state: "sent" };
      } catch (error) {
        if (signal.aborted) throw error;
        return fateOf(error as SmtpError);
      }
    },
  };
}

/** Names go in as names, apart from addresses, so that nothing in them becomes another address or header. */
function compose(mail: OutgoingMail, from: string): Promise<Buffer> {
  const domain = from.slice(from.lastIndexOf("@") + 1);
  const composer = new MailComposer({
    from: { name: oneLine(mail.fromName), address: from },
    to: { name: oneLine(mail.to.name), address: mail.to.address },
    subject: oneLine(mail.subject),
    messageId: `<${mail.id}@${domain}>`,
    text: mail.text,
    html: mail.html,
    // No answering machine answers it (RFC 3834), and no file or address in it is fetched.
    headers: { "Auto-Submitted": "auto-generated", "X-Auto-Response-Suppress": "All" },
    disableFileAccess: true,
    disableUrlAccess: true,
  });
  return composer.compile().build();
}

function oneLine(text: string): string {
  return text.replace(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, " ");
}

async function handIn(
  { address, password, from, caPem }: SmtpSettings,
  { to, raw, mostMs }: { readonly to: string; readonly raw: Buffer; readonly mostMs: number },
  signal: AbortSignal,
): Promise<void> {
  const connection = new SMTPConnection({
    host: address.host,
    port: address.port,
    secure: address.secure,
    requireTLS: address.requireStartTls,
    logger: false,
    tls: {
      minVersion: "TLSv1.2",
      ...(caPem === undefined ? {} : { ca: [...rootCertificates, caPem] }),
    },
    ...limits,
  });
  let abort = (): void => undefined;
  let timer: NodeJS.Timeout | undefined;
  const broken = new Promise<never>((_, reject) => {
    connection.once("error", reject);
    connection.once("end", () => {
      reject(new Error("The connection was closed."));
    });
    abort = () => {
      reject(signal.reason as Error);
    };
    timer = setTimeout(() => {
      reject(Object.assign(new Error("The mail took too long."), { code: "ETIMEDOUT" }));
    }, mostMs);
  });
  signal.addEventListener("abort", abort);
  try {
    await Promise.race([talk(connection, { user: address.user, password, from, to }, raw), broken]);
    connection.quit();
  } catch (error) {
    connection.close();
    throw error;
  } finally {
    signal.removeEventListener("abort", abort);
    clearTimeout(timer);
    // Whatever comes after the mail was taken, or given up, is no news.
    connection.on("error", () => undefined);
    broken.catch(() => undefined);
  }
}

async function talk(
  connection: SMTPConnection,
  who: { user: string | undefined; password: string | undefined; from: string; to: string },
  raw: Buffer,
): Promise<void> {
  await step((done) => {
    connection.connect(done);
  });
  const { user, password } = who;
  if (user !== undefined && password !== undefined) {
    await step((done) => {
      connection.login({ credentials: { user, pass: password } }, done);
    });
  }
  await step((done) => {
    connection.send({ from: who.from, to: [who.to], size: raw.length }, raw, done);
  });
}

function step(begin: (done: (error?: Error | null) => void) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    begin((error) => {
      if (error === undefined || error === null) resolve();
      else reject(error);
    });
  });
}

/** A refusal of sender, recipient or content with 5xx is for good; all else may be better later (RFC 5321 section 4.2.1). */
function fateOf(error: SmtpError): MailFate {
  const codes = /^(\d{3})[ -](\d\.\d{1,3}\.\d{1,3})?/.exec(error.response ?? "");
  const said = codes === null ? undefined : [codes[1], codes[2]].filter(Boolean).join(" ");
  const ofTheMail = /^(?:MAIL FROM|RCPT TO|DATA)/.test(error.command ?? "");
  if (said !== undefined && ofTheMail && said.startsWith("5")) {
    return { state: "refused", reply: said };
  }
  return { state: "later", reply: inWords(error, said) };
}

function inWords({ code, message }: SmtpError, said: string | undefined): string {
  if (/certificate/i.test(message)) return "the mail server's certificate is not trusted";
  if (code === "ETLS") return "the connection to the mail server could not be protected";
  if (code === "EAUTH") {
    return `the mail server did not take user and password${said === undefined ? "" : `: ${said}`}`;
  }
  if (said !== undefined) return said;
  if (code === "ETIMEDOUT") return "the mail server was too slow";
  return "the mail server could not be reached, or broke off";
}
