import type { BackupFacts } from "./server-keeping.ts";
import { facts, toTheSecond } from "./ui/result.ts";
import type { Theme } from "./ui/theme.ts";

/** What is in a backup, for people. */
export function backupLines(
  { madeAt, server, content, database }: BackupFacts,
  theme: Theme,
): string[] {
  const { newest } = database;
  const last =
    newest === undefined
      ? "none"
      : `${newest.case}:${newest.reference}, sealed ${toTheSecond(newest.sealedAt)}`;
  return facts(
    [
      ["Made", toTheSecond(madeAt)],
      ["Server's key", server.thumbprint],
      ["Public URL", server.publicUrl],
      ["Exhibits", `${database.exhibits} (${database.sealed} sealed)`],
      ["Newest exhibit", last],
      ["Identities", String(database.identities)],
      ["Shares", String(database.shares)],
      [
        "Content",
        content === "folder"
          ? "in content/ of the data folder; not in here"
          : `${content}; not in here`,
      ],
    ],
    theme,
  );
}
