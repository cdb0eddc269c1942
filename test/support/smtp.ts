import { EventEmitter, once } from "node:events";
import type { AddressInfo, Socket } from "node:net";
import { simpleParser, type ParsedMail } from "mailparser";
import { SMTPServer } from "smtp-server";
import { boxCertificates } from "./box/certificates.ts";

/** A mail as the server took it: who it was handed in for, and what stands in it. */
export interface Taken {
  readonly from: string;
  readonly to: readonly string[];
  readonly raw: string;
  readonly mail: ParsedMail;
  readonly secure: boolean;
}

/**
 * What the server says where it does not simply take a mail: a code and words at RCPT or behind DATA, silence, or nothing at
 * all. Words repeat the address, as real servers' do.
 */
export type Manner =
  "takes" | { readonly at: "RCPT" | "DATA"; readonly code: number } | "silent" | "drops";

/** A real mail server on loopback, with STARTTLS and a user, or with TLS from the first byte. */
export interface MailServer {
  readonly port: number;
  /** The certificate authority that vouches for it, in PEM. */
  readonly ca: string;
  readonly user: string;
  readonly password: string;
  readonly taken: readonly Taken[];
  /** How the next mails are met. */
  manner: Manner;
  /** How many mails were begun, taken or not. */
  readonly begun: number;
  /** Settles when the next mail is begun. */
  begins(): Promise<void>;
  /** The next mail that comes for `address`, or the newest that came and was not asked for yet. */
  next(): Promise<Taken>;
  stop(): Promise<void>;
}

export interface MailServerOptions {
  readonly secure?: boolean;
  /** No STARTTLS, as an old server, or someone in between, has it. */
  readonly withoutTls?: boolean;
  readonly port?: number;
}

export async function startMailServer(options: MailServerOptions = {}): Promise<MailServer> {
  const { ca, cert, key } = boxCertificates();
  const user = "evidence@police.example";
  const password = "p%40ss word";
  const waiting: Taken[] = [];
  const taken: Taken[] = [];
  const askers: ((mail: Taken) => void)[] = [];
  const beginning = new EventEmitter();
  let begun = 0;
  let manner: Manner = "takes";
  const refusal = (code: number, address: string): Error =>
    Object.assign(
      new Error(`5.1.1 <${address}>: who is that?`.replace(/^5/, String(code)[0] ?? "5")),
      {
        responseCode: code,
      },
    );
  const server = new SMTPServer({
    secure: options.secure === true,
    cert,
    key,
    logger: false,
    disabledCommands: options.withoutTls === true ? ["STARTTLS"] : [],
    allowInsecureAuth: options.withoutTls === true,
    onAuth(auth, _session, done) {
      if (auth.username === user && auth.password === password) done(null, { user });
      else done(new Error("wrong"));
    },
    onRcptTo({ address }, _session, done) {
      begun += 1;
      beginning.emit("begun");
      if (manner === "silent") return;
      if (manner === "drops") {
        for (const { _socket } of server.connections as Iterable<{ _socket: Socket }>)
          _socket.destroy();
        return;
      }
      if (typeof manner === "object" && manner.at === "RCPT") done(refusal(manner.code, address));
      else done();
    },
    onData(stream, session, done) {
      const chunks: Buffer[] = [];
      stream.on("data", (chunk: Buffer) => chunks.push(chunk));
      stream.on("end", () => {
        const [to] = session.envelope.rcptTo;
        if (typeof manner === "object") {
          done(refusal(manner.code, to?.address ?? ""));
          return;
        }
        const raw = Buffer.concat(chunks);
        void simpleParser(raw).then((mail) => {
          const { mailFrom, rcptTo } = session.envelope;
          const one: Taken = {
            from: mailFrom === false ? "" : mailFrom.address,
            to: rcptTo.map(({ address }) => address),
            raw: raw.toString("utf8"),
            mail,
            secure: session.secure,
          };
          taken.push(one);
          const asker = askers.shift();
          if (asker === undefined) waiting.push(one);
          else asker(one);
          done();
        });
      });
    },
  });
  server.on("error", () => undefined);
  const listening = server.listen(options.port ?? 0, "127.0.0.1");
  await once(listening, "listening");
  return {
    port: (listening.address() as AddressInfo).port,
    ca,
    user,
    password,
    taken,
    get begun() {
      return begun;
    },
    async begins() {
      await once(beginning, "begun");
    },
    get manner() {
      return manner;
    },
    set manner(value) {
      manner = value;
    },
    next() {
      const here = waiting.shift();
      if (here !== undefined) return Promise.resolve(here);
      return new Promise((resolve) => askers.push(resolve));
    },
    async stop() {
      await new Promise<void>((resolve) => {
        server.close(resolve);
        for (const { _socket } of server.connections as Iterable<{ _socket: Socket }>)
          _socket.destroy();
      });
    },
  };
}
