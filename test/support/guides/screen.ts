import xterm from "@xterm/headless";

/** How wide the terminals are that guides are typed into. */
export const columns = 110;

/** What a person sees in the end of what was written to a terminal: its lines, with what was drawn over left out. */
export async function seenLines(written: string): Promise<string[]> {
  const terminal = new xterm.Terminal({
    cols: columns,
    rows: 50,
    scrollback: 5000,
    allowProposedApi: true,
  });
  await new Promise<void>((drawn) => {
    terminal.write(written, drawn);
  });
  const { active } = terminal.buffer;
  const lines: string[] = [];
  for (let row = 0; row < active.length; row += 1) {
    const line = active.getLine(row);
    const text = line?.translateToString(true) ?? "";
    if (line?.isWrapped === true) lines.push(`${lines.pop() ?? ""}${text}`);
    else lines.push(text);
  }
  terminal.dispose();
  return lines;
}

/**
 * What is alike in two lines of a screen on different days and computers: times, numbers, ids, keys, digests, folders and the
 * widths of columns are not.
 */
function shapeOf(line: string): string {
  return line
    .replace(/\d{4}-\d\d-\d\d(?:T[\d:.]+Z)?/g, "TIME")
    .replace(/\*{4,}/g, "****")
    .replace(/(?<![\w:/.-])[~/][\w./-]*\/(?=[\w.-])/g, "")
    .replace(/\bex1\.[\w-]+\.[\w-]+\.[0-9a-f]{8}\b/g, "INVITATION")
    .replace(/(?<![\w-])(?:(?=[\w-]*\d)[\w-]{9,}|[\w-]{20,}|[A-Z\d]{9,})(?![\w-])/g, "ID")
    .replace(/\b[A-Z\d]{4}-[A-Z\d]{4}\b/g, "ID")
    .replace(/\d+(?:\.\d+)?/g, "N")
    .replace(/\b(?:bytes?|[KMGT]iB)\b/g, "SIZE")
    .replace(/\s+/g, " ")
    .trim();
}

/**
 * What a guide shows of a screen, and the lines of the screen that stand in its place, both by their shapes: the two are equal
 * where the guide tells the truth. `…` in the guide stands for any lines, or for the rest of one.
 */
export function compared(
  guide: string,
  screen: readonly string[],
): { readonly shown: string[]; readonly found: string[] } {
  const shown = shapesOf(guide.split("\n"));
  const left = shapesOf(screen);
  const found: string[] = [];
  let mayPass = false;
  for (const line of shown) {
    if (line === "…") {
      mayPass = true;
      found.push(line);
      continue;
    }
    while (mayPass && left[0] !== undefined && !isAs(line, left[0])) left.shift();
    mayPass = false;
    const next = left.shift() ?? "(nothing more)";
    found.push(isAs(line, next) ? line : next);
  }
  return { shown, found: mayPass ? found : [...found, ...left] };
}

function isAs(shown: string, line: string): boolean {
  return shown.endsWith("…") ? line.startsWith(shown.slice(0, -1).trimEnd()) : line === shown;
}

function shapesOf(lines: readonly string[]): string[] {
  return lines.map(shapeOf).filter((line) => line !== "");
}
