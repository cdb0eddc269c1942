/** Text that is HTML already. Only {@link html} makes it. */
export class Html {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

/** What stands in a template: HTML as it is, lists of it joined, anything else escaped, `undefined` left out. */
export type Inset = Html | readonly Html[] | string | number | undefined;

const entities: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

/** Control characters, and those that turn the direction of the text around them. */
const unprintable = /[\p{Cc}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]+/gu;

/** A template of HTML in which everything that is not {@link Html} is escaped, for text and quoted attributes. */
export function html(strings: TemplateStringsArray, ...insets: Inset[]): Html {
  const parts = insets.map((inset, index) => `${asHtml(inset)}${strings[index + 1] ?? ""}`);
  return new Html(`${strings[0] ?? ""}${parts.join("")}`);
}

/** Text from outside, set apart so that its direction cannot disturb what stands around it. */
export function foreign(text: string): Html {
  return html`<bdi>${text}</bdi>`;
}

function asHtml(inset: Inset): string {
  if (inset === undefined) return "";
  if (inset instanceof Html) return inset.text;
  if (typeof inset === "object") return inset.map((one) => one.text).join("");
  return String(inset)
    .replace(unprintable, " ")
    .replace(/[&<>"']/g, (character) => entities[character] ?? "");
}
