import type { Connection } from "../evidence/ports/connection.ts";
import type { Deps } from "./deps.ts";

/** Runs `use` with an opened store and closes it afterwards, whatever happens. */
export async function connected<Result>(
  deps: Pick<Deps, "connect">,
  store: string | undefined,
  use: (connection: Connection) => Promise<Result>,
): Promise<Result> {
  const connection = await deps.connect(store);
  try {
    return await use(connection);
  } finally {
    await connection.close();
  }
}
