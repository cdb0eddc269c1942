import { buffer } from "node:stream/consumers";
import { z } from "zod";
import { caseSchema, caseSegment } from "../../evidence/case.ts";
import { ExhibitError, hasCode } from "../../evidence/errors.ts";
import type { Clock } from "../../evidence/ports/clock.ts";
import type { FileRequest, FileRequestWanted, Requests } from "../../evidence/ports/requests.ts";
import { bodyOf } from "./api.ts";
import { Account, type BoxAccount } from "./enterprise/account.ts";
import type { Files } from "./files.ts";
import { isFile, type BoxItem } from "./items.ts";
import { readFile } from "./reading.ts";
import { surely, surelyDocument, surelyFolder } from "./sharing/surely.ts";

/** Beside the cases: no case can have this name. What is handed in never lies among exhibits. */
const root = ".requests";
/** Box lists file requests to nobody, so that ours are written down. No case can have this name either. */
const notes = `${root}/.made`;

const boxId = z.string().regex(/^\d{1,20}$/);
const noteSchema = z.strictObject({
  schema: z.literal("exhibit.box-request/1"),
  id: boxId,
  case: caseSchema,
  template: boxId,
  folder: boxId,
  /** The Box user's id. */
  createdBy: boxId,
  createdAt: z.iso.datetime(),
});
type Note = z.infer<typeof noteSchema>;

const requestSchema = z.object({
  id: z.string(),
  title: z.string().nullish(),
  status: z.string().nullish(),
  expires_at: z.string().nullish(),
  url: z.string().nullish(),
  etag: z.string().nullish(),
});
type BoxRequest = z.infer<typeof requestSchema>;

/** Box's file requests, copied from one that somebody made in Box: its API makes none from nothing. */
export function boxRequests({
  files,
  clock,
  account = new Account(files.api),
}: {
  readonly files: Files;
  readonly clock: Clock;
  readonly account?: Account;
}): Requests {
  const { api } = files;

  return {
    async create(wanted, signal) {
      if (!boxId.safeParse(wanted.template).success) throw notAnId(wanted.template);
      const me = await account.get(signal);
      const folder = await surelyFolder(
        files.folders,
        `${root}/${caseSegment(wanted.case)}`,
        signal,
      );
      // Nobody can use it before it is written down; what a crash leaves is closed.
      const made = await copy(wanted, folder, signal);
      const note: Note = {
        schema: "exhibit.box-request/1",
        id: made.id,
        case: wanted.case,
        template: wanted.template,
        folder,
        createdBy: me.id,
        createdAt: clock.now().toISOString(),
      };
      const written = await surelyDocument(files, notes, nameOf(note.id), note, signal);
      if (!written) throw nameTaken(note);
      if (isLater(await ask(made.id, signal), wanted)) throw otherEnd(made.id);
      return told(note, await settle(made.id, "active", signal), me);
    },

    async list(signal) {
      const me = await account.get(signal);
      const folderId = await files.folders.find(notes, signal);
      if (folderId === undefined) return [];
      const items: BoxItem[] = [];
      for await (const item of files.folders.items(folderId, signal)) items.push(item);
      const found: FileRequest[] = [];
      for (const item of items.filter(isFile)) {
        const note = await readNote(item.id, signal);
        if (note !== undefined && item.name === nameOf(note.id)) {
          found.push(told(note, await shown(note.id, signal), me));
        }
      }
      return found.sort((a, b) => (a.createdAt < b.createdAt ? 1 : -1));
    },

    async close(id, signal) {
      if (!boxId.safeParse(id).success) throw notAnId(id);
      const me = await account.get(signal);
      const file = await files.findIn(notes, nameOf(id), signal);
      const note = file && (await readNote(file.id, signal));
      if (note?.id !== id) throw noRequest();
      if (note.createdBy !== me.id) throw notOurs(note);
      const found = await ask(id, signal);
      if (found === undefined || found.status === "inactive") return told(note, found, me);
      return told(note, await settle(id, "inactive", signal), me);
    },
  };

  async function copy(
    { template, title, expiresAt }: FileRequestWanted,
    folder: string,
    signal: AbortSignal,
  ): Promise<BoxRequest> {
    // Never twice: Box lists them to nobody, so one whose answer was lost is not found again. It is closed, and harmless.
    const answer = await api.ask(
      {
        method: "POST",
        to: `/2.0/file_requests/${template}/copy`,
        json: {
          folder: { type: "folder", id: folder },
          ...(title === undefined ? {} : { title }),
          status: "inactive",
          expires_at: expiresAt,
        },
      },
      signal,
    );
    if (answer.status === 404) throw noTemplate(template);
    return bodyOf(requestSchema, answer);
  }

  /** Opens or closes a request, and reads back that it is so. */
  async function settle(
    id: string,
    status: "active" | "inactive",
    signal: AbortSignal,
  ): Promise<BoxRequest | undefined> {
    await surely(
      async () => {
        const json = { status };
        const answer = await api.ask(
          { method: "PUT", to: `/2.0/file_requests/${id}`, json },
          signal,
        );
        return bodyOf(requestSchema, answer);
      },
      async () => {
        const found = await ask(id, signal);
        return found?.status === status ? found : undefined;
      },
      signal,
    );
    const now = await ask(id, signal);
    if (now?.status === status) return now;
    throw new ExhibitError(
      "policy.not-permitted",
      `Box did not ${status === "active" ? "open" : "close"} the file request.`,
      {
        hint: "Look at it in Box: its folder lies below .requests.",
        facts: { request: id },
      },
    );
  }

  async function ask(id: string, signal: AbortSignal): Promise<BoxRequest | undefined> {
    const answer = await api.ask({ method: "GET", to: `/2.0/file_requests/${id}` }, signal);
    return answer.status === 404 ? undefined : bodyOf(requestSchema, answer);
  }

  /** As {@link ask}, for a list that one request must not spoil: what this account may not see is none. */
  async function shown(id: string, signal: AbortSignal): Promise<BoxRequest | undefined> {
    try {
      return await ask(id, signal);
    } catch (error) {
      if (hasCode(error, "policy.not-permitted")) return undefined;
      throw error;
    }
  }

  /** Undefined where it is not what was written, or was taken away since it was listed. */
  async function readNote(fileId: string, signal: AbortSignal): Promise<Note | undefined> {
    try {
      const text = await buffer(await readFile(api, fileId, undefined, signal));
      return noteSchema.safeParse(JSON.parse(text.toString("utf8"))).data;
    } catch (error) {
      if (error instanceof SyntaxError || hasCode(error, "not-found.content")) return undefined;
      throw error;
    }
  }

  function told(note: Note, found: BoxRequest | undefined, me: BoxAccount): FileRequest {
    const { id, case: caseRef, createdAt } = note;
    const ends = found?.expires_at ?? undefined;
    const isOver = ends !== undefined && Date.parse(ends) <= clock.now().getTime();
    return {
      id,
      case: caseRef,
      ...(found?.title === undefined || found.title === null ? {} : { title: found.title }),
      url: new URL(found?.url ?? "", me.webUrl).href,
      createdAt,
      ...(ends === undefined ? {} : { expiresAt: new Date(ends).toISOString() }),
      state:
        found === undefined
          ? "gone"
          : isOver
            ? "expired"
            : found.status === "active"
              ? "open"
              : "closed",
    };
  }
}

function nameOf(id: string): string {
  return `${id}.json`;
}

/** Box tells whole seconds. */
function isLater(made: BoxRequest | undefined, { expiresAt }: FileRequestWanted): boolean {
  return Date.parse(made?.expires_at ?? "") > Date.parse(expiresAt) || !made?.expires_at;
}

function otherEnd(request: string): ExhibitError {
  return new ExhibitError(
    "policy.not-permitted",
    "Box did not give the file request the end that was asked for, so it was not opened.",
    {
      hint: "Look at the template's own end in Box, and at what Box's administrator allows.",
      facts: { request },
    },
  );
}

function nameTaken({ id }: Note): ExhibitError {
  return new ExhibitError(
    "conflict.exists",
    `Something else lies at ${notes}/${nameOf(id)} in Box.`,
    {
      hint: "Move it away in Box, and ask again. The request that was made was not opened.",
      facts: { request: id },
    },
  );
}

function notAnId(given: string): ExhibitError {
  return new ExhibitError("usage.invalid", `"${given}" is not the id of a file request in Box.`, {
    hint: "It is a number: in Box's list of file requests, at the end of the request's address.",
  });
}

function noTemplate(template: string): ExhibitError {
  return new ExhibitError(
    "not-found.request",
    `Box shows this account no file request ${template}.`,
    {
      hint: "Make one in Box as a template, in a folder of which this account is an Editor, and give its id.",
    },
  );
}

function noRequest(): ExhibitError {
  return new ExhibitError("not-found.request", "There is no such file request of this store.", {
    hint: "List them with exhibit request list.",
  });
}

function notOurs({ createdBy }: Note): ExhibitError {
  return new ExhibitError(
    "policy.role",
    `Another officer made this file request: the Box user with the id ${createdBy}.`,
    {
      hint: "Have them close it. In an emergency Box's administrator can.",
      facts: { createdBy },
    },
  );
}
