import type { FastifyInstance, FastifyRequest } from "fastify";
import { problemMediaType, problemSchema } from "../../protocol/problem.ts";
import { linkEnded, messagePage, type Message } from "./message-page.ts";
import { assetsFrom, pageAssets } from "./page-assets.ts";
import { setPageHeaders } from "./page-headers.ts";

/**
 * Whoever meets a refusal in a browser's window (a document that was opened in a tab of its own, an address that a mail
 * program cut in two) reads a page of ours in place of a problem document or a line of text. Programs, our own page's
 * script among them, do not ask for HTML and get what they always got.
 */
export async function showRefusalsAsPages(
  app: FastifyInstance,
  organisation: string,
): Promise<void> {
  const assets = await pageAssets();
  app.addHook("onSend", (request, reply, payload, done) => {
    const type = String(reply.getHeader("content-type") ?? "");
    const isPage = type.startsWith("text/html");
    if (reply.statusCode < 400 || isPage || !asksForPage(request)) {
      done(null, payload);
      return;
    }
    setPageHeaders(reply);
    void reply.type("text/html; charset=utf-8").removeHeader("content-length");
    const message = messageFor(reply.statusCode, type, payload);
    done(null, messagePage(organisation, assetsFrom(assets, request.url), message));
  });
}

function asksForPage({ headers, method }: FastifyRequest): boolean {
  return method !== "HEAD" && headers.accept?.includes("text/html") === true;
}

function messageFor(status: number, type: string, payload: unknown): Message {
  if (status === 404) {
    return {
      title: "There is nothing here",
      words:
        "If you were sent a link, open it again from where you have it: mail programs sometimes cut long links in two. After some hours you are asked for the code again.",
    };
  }
  if (status === 410) return linkEnded;
  const words = typeof payload === "string" ? payload.trim() : "";
  if (!type.startsWith(problemMediaType)) return { title: "This did not work", words };
  const { title, hint } = problemSchema.parse(JSON.parse(words));
  return {
    title: "This did not work",
    words: `${title} ${hint ?? "Go back to the page before, and try again."}`,
  };
}
