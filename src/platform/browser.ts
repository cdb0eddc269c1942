/** Shows a page in the browser of whoever sits at this machine; false where there is none. */
export async function openInBrowser(url: string): Promise<boolean> {
  const { default: open } = await import("open");
  try {
    const started = await open(url);
    // A browser that cannot be started after all is told so later, by an event that would end this program.
    started.on("error", () => undefined);
    return true;
  } catch {
    return false;
  }
}
