/** A person's browser as far as the provider's pages need one: it keeps cookies, in `jar`, and sends forms. */
export async function signInAt(
  page: string,
  login: string,
  jar = new Map<string, string>(),
): Promise<string> {
  let url = page;
  let body: string | undefined;
  for (let step = 0; step < 20; step += 1) {
    if (new URL(url).hostname === "localhost") return (await fetch(url)).text();
    const answer = await fetch(url, {
      redirect: "manual",
      headers: {
        cookie: [...jar].map(([name, value]) => `${name}=${value}`).join("; "),
        ...(body === undefined ? {} : { "content-type": "application/x-www-form-urlencoded" }),
      },
      ...(body === undefined ? {} : { method: "POST", body }),
    });
    body = undefined;
    for (const cookie of answer.headers.getSetCookie()) {
      const [, name = "", value = ""] = /^([^=]+)=([^;]*)/.exec(cookie) ?? [];
      if (value === "") jar.delete(name);
      else jar.set(name, value);
    }
    const to = answer.headers.get("location");
    if (to !== null) {
      url = new URL(to, url).href;
      continue;
    }
    const text = await answer.text();
    const action = /<form[^>]*action="([^"]*)"/.exec(text)?.[1];
    if (action === undefined) return text;
    const fields = new URLSearchParams();
    for (const [tag] of text.matchAll(/<input[^>]*>/g)) {
      const name = /name="([^"]*)"/.exec(tag)?.[1];
      if (name !== undefined) fields.set(name, /value="([^"]*)"/.exec(tag)?.[1] ?? "");
    }
    if (fields.has("login")) fields.set("login", login);
    if (fields.has("password")) fields.set("password", "any");
    if (fields.has("xsrf")) fields.set("confirm", "yes");
    url = new URL(action, url).href;
    body = fields.toString();
  }
  throw new Error("The provider's pages never ended.");
}
