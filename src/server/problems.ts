import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { ZodError } from "zod";
import { ExhibitError, familyOf, type ErrorCode } from "../evidence/errors.ts";
import { problemMediaType, type Problem } from "../protocol/problem.ts";

/** Where a code's status is not its family's. */
const statusOfCode: Partial<Record<ErrorCode, number>> = {
  "policy.too-large": 413,
  "unavailable.no-space": 507,
  "unavailable.rate-limited": 429,
};

const statusOfFamily: Readonly<Record<string, number>> = {
  usage: 400,
  auth: 401,
  policy: 403,
  "not-found": 404,
  conflict: 409,
  integrity: 422,
  unavailable: 503,
};

/** Seconds a client waits before it asks again, where nothing better is known. */
const retryAfterSeconds = 5;

/** The HTTP status of a foreseen failure. */
export function statusOf(code: ErrorCode): number {
  return statusOfCode[code] ?? statusOfFamily[familyOf(code)] ?? 500;
}

/** Answers every failure of every route with the problem document of the protocol. */
export function answerWithProblems(app: FastifyInstance): void {
  app.setErrorHandler<Error>(answerProblem);
  app.setNotFoundHandler(() => {
    throw new ExhibitError("not-found.route", "This server has nothing at this address.", {
      hint: "Check the address; the client and the server may be of different versions.",
    });
  });
}

/** Answers one failure; tells nothing of one that was not foreseen. */
export function answerProblem(
  error: Error,
  request: FastifyRequest,
  reply: FastifyReply,
): FastifyReply {
  const foreseen = foreseenFailure(error);
  if (foreseen === undefined) {
    logUnforeseen(request, error);
    return sendProblem(reply, 500, {
      code: "unavailable.store",
      title: "The server failed on this request.",
      hint: `Try again later. If it happens again, tell the server's administrator the request id ${request.id}.`,
    });
  }
  request.log.info({ code: foreseen.code }, "refused");
  return sendProblem(reply, statusOf(foreseen.code), {
    code: foreseen.code,
    title: foreseen.message,
    ...(foreseen.hint === undefined ? {} : { hint: foreseen.hint }),
    facts: foreseen.facts,
  });
}

function sendProblem(
  reply: FastifyReply,
  status: number,
  problem: Omit<Problem, "status">,
): FastifyReply {
  if (status === 401) void reply.header("www-authenticate", "Bearer");
  if (status === 429 || status === 503) {
    if (!reply.hasHeader("retry-after")) void reply.header("retry-after", retryAfterSeconds);
  }
  return reply
    .code(status)
    .type(problemMediaType)
    .send({ ...problem, status, requestId: reply.request.id } satisfies Problem);
}

/** A failure in our own words, where it was foreseen. */
export function foreseenFailure(error: Error): ExhibitError | undefined {
  if (error instanceof ExhibitError) return error;
  if (error instanceof ZodError) return ofInvalid(error);
  const { statusCode } = error as Partial<FastifyError>;
  if (statusCode === undefined || statusCode >= 500) return undefined;
  if (statusCode === 413) {
    return new ExhibitError("policy.too-large", "This request is larger than the server takes.");
  }
  if (statusCode === 429) {
    return new ExhibitError("unavailable.rate-limited", "Too many requests from this address.", {
      hint: "Wait a minute and try again.",
    });
  }
  return new ExhibitError("usage.invalid", "This request is not well formed.", { cause: error });
}

function ofInvalid(error: ZodError): ExhibitError {
  const [issue] = error.issues;
  const field = issue?.path.join(".") ?? "";
  const where = field === "" ? "The request" : `"${field}"`;
  return new ExhibitError("usage.invalid", `${where}: ${issue?.message ?? "is not valid"}`, {
    ...(field === "" ? {} : { facts: { field } }),
    cause: error,
  });
}

/** Logs where it failed and never what it said: messages of file systems and programs hold keys and names. */
function logUnforeseen(request: FastifyRequest, error: Error): void {
  const { code } = error as NodeJS.ErrnoException;
  const gone = code === "ECONNRESET" || code === "ERR_STREAM_PREMATURE_CLOSE";
  const where = error.stack?.split("\n").filter((line) => /^\s+at /.test(line));
  if (gone) request.log.info({ errorCode: code }, "client went away");
  else request.log.error({ errorName: error.name, errorCode: code, where }, "request failed");
}
