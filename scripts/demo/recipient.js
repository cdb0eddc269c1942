// What the person who was sent the link does, with a browser's requests and nothing else.

/**
 * @typedef {object} Visit
 * @property {string} link
 * @property {string} cookie
 * @property {string} page
 */

/**
 * Opens a link: the page before the code, the code, and the page behind it.
 *
 * @param {string} link
 * @param {string} code
 * @returns {Promise<{ before: string, visit: Visit }>}
 */
export async function openLink(link, code) {
  const before = await (await fetch(link)).text();
  const answer = await fetch(link, {
    method: "POST",
    body: new URLSearchParams({ code }),
    redirect: "manual",
  });
  const cookie = answer.headers.getSetCookie()[0]?.split(";")[0];
  if (answer.status !== 303 || cookie === undefined) {
    throw new Error(`The code was refused with ${answer.status}.`);
  }
  const page = await (await fetch(link, { headers: { cookie } })).text();
  return { before, visit: { link, cookie, page } };
}

/**
 * The addresses of the segments of the page's first video.
 *
 * @param {Visit} visit
 */
export async function segmentsOf(visit) {
  const playlist = /data-playlist="([^"]+)"/.exec(visit.page)?.[1];
  if (playlist === undefined) throw new Error("The page shows no video.");
  const address = new URL(playlist, visit.link);
  const text = await (await get(visit, address)).text();
  return text
    .split("\n")
    .filter((line) => line !== "" && !line.startsWith("#"))
    .map((line) => new URL(line, address));
}

/**
 * @param {Visit} visit
 * @param {URL | string} address
 */
export async function get(visit, address) {
  return fetch(address, { headers: { cookie: visit.cookie } });
}

/**
 * Listens as the open page does; resolves when the server says that the share has ended. `listening` settles as soon
 * as the line stands.
 *
 * @param {Visit} visit
 */
export async function listen(visit) {
  const answer = await get(visit, `${visit.link}/events`);
  if (!answer.ok || answer.body === null) throw new Error(`No server events: ${answer.status}.`);
  const { body } = answer;
  return {
    ended: (async () => {
      let heard = "";
      for await (const chunk of body) {
        heard += Buffer.from(chunk).toString("utf8");
        if (heard.includes("event: ended")) return;
      }
      throw new Error("The line closed without a word.");
    })(),
  };
}

/**
 * Watches as a player does: segment after segment, round and round, until one is refused. Resolves with how many
 * were served and with the status of the refusal.
 *
 * @param {Visit} visit
 * @param {readonly URL[]} segments
 */
export async function watch(visit, segments) {
  for (let served = 0; ; served += 1) {
    const answer = await get(visit, segments[served % segments.length] ?? visit.link);
    if (!answer.ok) return { served, refusedWith: answer.status, at: Date.now() };
    await answer.arrayBuffer();
  }
}
